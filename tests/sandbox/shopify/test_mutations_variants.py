from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
SHIRT = "gid://shopify/Product/7000000000001"
MUG = "gid://shopify/Product/7000000000002"
S = "gid://shopify/ProductVariant/41000000000001"
M = "gid://shopify/ProductVariant/41000000000002"
OTHER = "gid://shopify/ProductVariant/41000000000003"
WAREHOUSE = "gid://shopify/Location/61000000001"
UPDATE = (
    "mutation($p:ID!,$v:[ProductVariantsBulkInput!]!,$partial:Boolean){productVariantsBulkUpdate(productId:$p,variants:$v,"
    "allowPartialUpdates:$partial){product{updatedAt options{values}} productVariants{id price compareAtPrice sku title"
    " inventoryItem{unitCost{amount} tracked}} userErrors{field message code}}}"
)
CREATE = (
    "mutation($p:ID!,$v:[ProductVariantsBulkInput!]!,$s:ProductVariantsBulkCreateStrategy){productVariantsBulkCreate("
    "productId:$p,variants:$v,strategy:$s){product{options{values} variants(first:9){nodes{title position}}}"
    " productVariants{title price inventoryQuantity} userErrors{field message code}}}"
)
DELETE = (
    "mutation($p:ID!,$v:[ID!]!){productVariantsBulkDelete(productId:$p,variantsIds:$v){product{variants(first:9){"
    "nodes{title position}}} userErrors{field message code}}}"
)


def update(ask: Ask, *variants: dict[str, Any], product: str = SHIRT, partial: bool = False) -> dict[str, Any]:
    sent = {"p": product, "v": list(variants), "partial": partial}
    found: dict[str, Any] = ask(UPDATE, sent)["data"]["productVariantsBulkUpdate"]
    return found


def test_several_variants_of_one_product_at_once(ask: Ask, shop: Store) -> None:
    before = shop.now()
    found = update(
        ask,
        {"id": S, "price": "19.5", "compareAtPrice": 25, "inventoryItem": {"sku": "NEW", "cost": "7"}},
        {"id": M, "price": 21, "inventoryItem": {"tracked": False}},
    )
    assert found["userErrors"] == []
    assert found["productVariants"] == [
        {
            "id": S,
            "price": "19.50",
            "compareAtPrice": "25.00",
            "sku": "NEW",
            "title": "S",
            "inventoryItem": {"unitCost": {"amount": "7.0"}, "tracked": True},
        },
        {
            "id": M,
            "price": "21.00",
            "compareAtPrice": None,
            "sku": "SHIRT-M",
            "title": "M",
            "inventoryItem": {"unitCost": None, "tracked": False},
        },
    ]
    assert shop.products[7000000000001].updated_at >= before


WRONG = [
    ({"price": "1"}, ["variants", "1", "id"], "PRODUCT_VARIANT_ID_MISSING"),
    ({"id": "gid://shopify/ProductVariant/404"}, ["variants", "1", "id"], "PRODUCT_VARIANT_DOES_NOT_EXIST"),
    ({"id": OTHER, "price": "1"}, ["variants", "1", "id"], "PRODUCT_VARIANT_DOES_NOT_EXIST"),
    ({"id": M, "price": "-1"}, ["variants", "1", "price"], "GREATER_THAN_OR_EQUAL_TO"),
    ({"id": M, "price": None}, ["variants", "1", "price"], "BLANK"),
    ({"id": M, "inventoryItem": {"sku": "x" * 256}}, ["variants", "1", "sku"], "TOO_LONG"),
    (
        {"id": M, "inventoryQuantities": [{"availableQuantity": 1, "locationId": WAREHOUSE}]},
        ["variants", "1", "inventoryQuantities"],
        "NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE",
    ),
    (
        {"id": M, "optionValues": [{"optionName": "Size", "name": "S"}]},
        ["variants", "1"],
        "VARIANT_ALREADY_EXISTS",
    ),
    (
        {"id": M, "optionValues": [{"optionName": "Colour", "name": "Red"}]},
        ["variants", "1", "optionValues", "0"],
        "OPTION_DOES_NOT_EXIST",
    ),
]


@pytest.mark.parametrize(("wrong", "field", "code"), WRONG)
def test_one_wrong_row_stops_the_whole_call(
    ask: Ask, shop: Store, wrong: dict[str, Any], field: list[str], code: str
) -> None:
    found = update(ask, {"id": S, "price": "1"}, wrong)
    assert [(one["field"], one["code"]) for one in found["userErrors"]] == [(field, code)]
    assert found["productVariants"] is None
    assert shop.variants[41000000000001].price == "20.00"


def test_partial_updates_write_the_good_rows(ask: Ask, shop: Store) -> None:
    found = update(ask, {"id": S, "price": "1"}, {"id": M, "price": "-1"}, partial=True)
    assert [one["id"] for one in found["productVariants"]] == [S]
    assert [one["field"] for one in found["userErrors"]] == [["variants", "1", "price"]]
    assert (shop.variants[41000000000001].price, shop.variants[41000000000002].price) == ("1.00", "22.00")


def test_a_product_that_is_not_there(ask: Ask) -> None:
    found = update(ask, {"id": S}, product="gid://shopify/Product/404")
    assert found["userErrors"] == [
        {"field": ["productId"], "message": "Product does not exist", "code": "PRODUCT_DOES_NOT_EXIST"}
    ]


def test_a_new_option_value_is_learnt_and_names_the_variant(ask: Ask) -> None:
    found = update(ask, {"id": M, "optionValues": [{"optionName": "size", "name": "XL"}]})
    assert found["productVariants"][0]["title"] == "XL"
    assert found["product"]["options"] == [{"values": ["S", "M", "XL"]}]


def test_new_variants_are_stocked_and_numbered(ask: Ask) -> None:
    new = {
        "optionValues": [{"optionName": "Size", "name": "L"}],
        "price": 24,
        "inventoryQuantities": [{"availableQuantity": 7, "locationId": WAREHOUSE}],
    }
    found = ask(CREATE, {"p": SHIRT, "v": [new]})["data"]["productVariantsBulkCreate"]
    assert found["productVariants"] == [{"title": "L", "price": "24.00", "inventoryQuantity": 7}]
    assert [one["position"] for one in found["product"]["variants"]["nodes"]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("strategy", "titles"),
    [("DEFAULT", ["Large"]), ("PRESERVE_STANDALONE_VARIANT", ["Default Title", "Large"])],
)
def test_the_strategy_decides_about_the_standalone_variant(ask: Ask, strategy: str, titles: list[str]) -> None:
    new = {"optionValues": [{"optionName": "Title", "name": "Large"}]}
    found = ask(CREATE, {"p": MUG, "v": [new], "s": strategy})["data"]["productVariantsBulkCreate"]
    assert [one["title"] for one in found["product"]["variants"]["nodes"]] == titles


def test_creating_checks_every_row_first(ask: Ask, shop: Store) -> None:
    rows = [
        {"optionValues": [{"optionName": "Size", "name": "L"}]},
        {"optionValues": [{"optionName": "Size", "name": "S"}]},
        {"price": "1"},
        {"id": S},
    ]
    found = ask(CREATE, {"p": SHIRT, "v": rows})["data"]["productVariantsBulkCreate"]
    assert [(one["field"], one["code"]) for one in found["userErrors"]] == [
        (["variants", "1"], "VARIANT_ALREADY_EXISTS"),
        (["variants", "2"], "NEED_TO_ADD_OPTION_VALUES"),
        (["variants", "3", "id"], "NO_KEY_ON_CREATE"),
    ]
    assert len(shop.variants) == 6


def test_a_deleted_variant_leaves_the_others_in_order(ask: Ask) -> None:
    found = ask(DELETE, {"p": SHIRT, "v": [S]})["data"]["productVariantsBulkDelete"]
    assert found == {"product": {"variants": {"nodes": [{"title": "M", "position": 1}]}}, "userErrors": []}


@pytest.mark.parametrize(
    ("ids", "code"),
    [([S, OTHER], "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT"), ([S, M], "CANNOT_DELETE_LAST_VARIANT")],
)
def test_deletions_that_are_refused(ask: Ask, shop: Store, ids: list[str], code: str) -> None:
    errors = ask(DELETE, {"p": SHIRT, "v": ids})["data"]["productVariantsBulkDelete"]["userErrors"]
    assert [one["code"] for one in errors] == [code]
    assert len(shop.variants) == 6
