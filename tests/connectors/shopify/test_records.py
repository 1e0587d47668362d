import msgspec
import pytest

from syncline.connectors.shopify import catalog_nodes, records
from syncline.connectors.shopify.ids import gid, number_of, type_of
from syncline.connectors.shopify.testing import level, product, variant
from syncline.kernel.errors import Skippable


def line(node: dict[str, object], parent: str | None = None) -> bytes:
    return msgspec.json.encode({**node, "__parentId": parent} if parent else node)


def test_product_line() -> None:
    node = {key: value for key, value in product(7, 2).items() if key != "variants"}
    record = records.decode(line(node), "product")
    assert isinstance(record, catalog_nodes.ProductNode)
    assert (record.number, record.title, record.tags) == (7, "Täß 🧢 7", ["a", "b"])
    assert msgspec.to_builtins(record) == node


def test_variant_line_keeps_amounts_as_text_and_its_parent() -> None:
    record = records.decode(line(variant(701), gid("Product", 7)), "variant")
    assert isinstance(record, catalog_nodes.VariantNode)
    assert (record.number, record.product_number, record.price, record.sku) == (701, 7, "12.50", "")
    assert record.inventoryItem.unitCost == catalog_nodes.UnitCost("4.2")


def test_location_line() -> None:
    record = records.decode(b'{"id":"gid://shopify/Location/3","name":"Lager","isActive":false}', "location")
    assert record == catalog_nodes.LocationNode("gid://shopify/Location/3", "Lager", isActive=False)


def test_level_line_is_known_by_item_and_location() -> None:
    record = records.decode(line(level(3, 55), gid("Location", 3)), "inventory_level")
    assert isinstance(record, catalog_nodes.InventoryLevelNode)
    assert (record.item_number, record.location_number) == (55, 3)
    assert (record.quantity("available"), record.quantity("damaged")) == (7, None)


@pytest.mark.parametrize(
    ("text", "stream", "kind"),
    [
        (b'{"id":"gid://shopify/Product/1"}', "products", "product"),
        (b'{"id":"gid://shopify/ProductVariant/1"}', "products", "variant"),
        (b'{"id":"gid://shopify/Location/1"}', "inventory", "location"),
        (b'{"id":"gid://shopify/InventoryLevel/1?inventory_item_id=2"}', "inventory", "inventory_level"),
        (b'{"title":"x", "id": "gid://shopify/Product/1"}', "products", "product"),
        (b'{"id":"gid://shopify/Product/1"}', "collections", "collection_membership"),
        (b'{"id":"gid://shopify/Product/1"}', "media", "product_ref"),
        (b'{"id":"gid://shopify/ExternalVideo/1"}', "media", "product_media"),
        (b'{"alt":"x","id":"gid://shopify/Model3d/1"}', "media", "product_media"),
        (b'{"id":"gid://shopify/Metafield/1"}', "metafields", "metafield"),
        (b'{"id":"gid://shopify/LineItem/1"}', "orders", "order_line"),
    ],
)
def test_kind_of_a_line(text: bytes, stream: str, kind: str) -> None:
    assert records.kind_of(text, stream) == kind


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b'{"id":"7"}', b'{"id":"gid://shopify/Order/1"}', b'{"id":"gid://shopify/Product/1","title":3}'],
)
def test_line_that_is_not_a_record_is_skippable_and_shown(text: bytes) -> None:
    with pytest.raises(Skippable) as caught:
        records.decode(text, records.kind_of(text, "products"))
    assert text.decode() in caught.value.detail


def test_fields_that_shopify_adds_are_ignored() -> None:
    record = records.decode(b'{"id":"gid://shopify/Location/3","name":"a","isActive":true,"new":{"x":1}}', "location")
    assert isinstance(record, catalog_nodes.LocationNode)


@pytest.mark.parametrize("text", ["7", "gid://shopify/Product/x", "gid://other/Product/7", ""])
def test_what_is_no_global_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="global id"):
        number_of(text)


def test_global_id_with_a_query() -> None:
    text = "gid://shopify/InventoryLevel/5?inventory_item_id=6"
    assert (type_of(text), number_of(text)) == ("InventoryLevel", 5)
