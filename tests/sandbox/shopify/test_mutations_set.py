from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from syncline.kernel import clock
from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
SHIRT = "gid://shopify/Product/7000000000001"
S = "gid://shopify/ProductVariant/41000000000001"
WAREHOUSE = "gid://shopify/Location/61000000001"
SET = (
    "mutation($by:ProductSetIdentifiers,$i:ProductSetInput!,$sync:Boolean=true){productSet(identifier:$by,input:$i,"
    "synchronous:$sync){product{id title handle vendor options{name values} variants(first:9){nodes{id title price sku"
    " inventoryQuantity}}} productSetOperation{id status product{id} userErrors{code}}"
    " userErrors{field message code}}}"
)


def size(name: str, **fields: Any) -> dict[str, Any]:
    return {"optionValues": [{"optionName": "Size", "name": name}], **fields}


def sizes(*names: str) -> list[dict[str, Any]]:
    return [{"name": "Size", "values": [{"name": name} for name in names]}]


def put(ask: Ask, by: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = ask(SET, {"by": by, "i": fields})["data"]["productSet"]
    return found


def test_a_product_is_made_with_all_it_has(ask: Ask) -> None:
    stock = [{"locationId": WAREHOUSE, "name": "available", "quantity": 5}]
    found = put(
        ask,
        title="Hat",
        productOptions=sizes("S", "M"),
        variants=[size("S", price=10, sku="HAT-S", inventoryQuantities=stock), size("M", price="11.5")],
    )
    assert found["userErrors"] == []
    shown = [
        {name: value for name, value in one.items() if name != "id"} for one in found["product"]["variants"]["nodes"]
    ]
    assert shown == [
        {"title": "S", "price": "10.00", "sku": "HAT-S", "inventoryQuantity": 5},
        {"title": "M", "price": "11.50", "sku": None, "inventoryQuantity": 0},
    ]


def test_variants_not_listed_are_deleted_and_fields_not_given_stay(ask: Ask, shop: Store) -> None:
    found = put(ask, {"id": SHIRT}, productOptions=sizes("M", "L"), variants=[size("L", price=30), size("M")])
    product = found["product"]
    assert [(one["title"], one["price"]) for one in product["variants"]["nodes"]] == [("L", "30.00"), ("M", "22.00")]
    assert product["options"] == [{"name": "Size", "values": ["M", "L"]}]
    assert product["vendor"] == "Acme"
    assert 41000000000001 not in shop.variants
    assert [one.position for one in shop.variants_of(shop.products[7000000000001])] == [1, 2]


def test_a_patch_without_lists_leaves_the_variants_alone(ask: Ask) -> None:
    found = put(ask, {"id": SHIRT}, title="Linen Shirt II")
    assert found["product"]["title"] == "Linen Shirt II"
    assert len(found["product"]["variants"]["nodes"]) == 2


def test_a_variant_is_kept_by_its_id_when_its_value_changes(ask: Ask) -> None:
    found = put(ask, {"id": SHIRT}, productOptions=sizes("XS"), variants=[size("XS", id=S)])
    assert [(one["id"], one["title"]) for one in found["product"]["variants"]["nodes"]] == [(S, "XS")]


def test_a_handle_finds_the_product_or_makes_it(ask: Ask) -> None:
    assert put(ask, {"handle": "linen-shirt"}, handle="linen-shirt", vendor="Other")["product"]["id"] == SHIRT
    made = put(ask, {"handle": "new-hat"}, handle="new-hat", title="Hat")["product"]
    assert (made["handle"], made["id"] == SHIRT) == ("new-hat", False)


WRONG = [
    ({"id": "gid://shopify/Product/404"}, {"title": "x"}, "NOT_FOUND"),
    (None, {"id": "gid://shopify/Product/404"}, "PRODUCT_DOES_NOT_EXIST"),
    ({"id": SHIRT}, {"id": SHIRT}, "ID_NOT_ALLOWED"),
    ({"handle": "a"}, {"handle": "b", "title": "x"}, "INPUT_MISMATCH"),
    ({"handle": "a"}, {"title": "x"}, "MISSING_FIELD_REQUIRED"),
    (None, {"title": ""}, "INVALID_PRODUCT"),
    (None, {"title": "x", "handle": "linen-shirt"}, "HANDLE_NOT_UNIQUE"),
    ({"id": SHIRT}, {"variants": [size("S")]}, "PRODUCT_OPTIONS_INPUT_MISSING"),
    ({"id": SHIRT}, {"productOptions": sizes("S")}, "VARIANTS_INPUT_MISSING"),
    ({"id": SHIRT}, {"productOptions": sizes(), "variants": [size("S")]}, "OPTION_VALUES_MISSING"),
    ({"id": SHIRT}, {"productOptions": sizes("S", "s"), "variants": [size("S")]}, "DUPLICATED_OPTION_VALUE"),
    ({"id": SHIRT}, {"productOptions": sizes("S") * 2, "variants": [size("S")]}, "DUPLICATED_OPTION_NAME"),
    ({"id": SHIRT}, {"productOptions": sizes("S"), "variants": [size("M")]}, "OPTION_VALUE_DOES_NOT_EXIST"),
    ({"id": SHIRT}, {"productOptions": sizes("S"), "variants": [size("S"), size("S")]}, "INVALID_VARIANT"),
    ({"id": SHIRT}, {"productOptions": sizes("S"), "variants": [size("S", price=-1)]}, "INVALID_VARIANT"),
    (
        {"id": SHIRT},
        {"productOptions": sizes("S"), "variants": [size("S", id="gid://shopify/ProductVariant/41000000000003")]},
        "PRODUCT_VARIANT_DOES_NOT_EXIST",
    ),
    ({"id": SHIRT}, {"productOptions": sizes("S"), "variants": [size("S")] * 2049}, "VARIANTS_OVER_LIMIT"),
]


@pytest.mark.parametrize(("by", "fields", "code"), WRONG)
def test_what_is_wrong_has_its_code_and_changes_nothing(
    ask: Ask, shop: Store, by: dict[str, Any] | None, fields: dict[str, Any], code: str
) -> None:
    revision = shop.revision
    assert code in [one["code"] for one in put(ask, by, **fields)["userErrors"]]
    assert shop.revision == revision


def test_an_asynchronous_set_is_an_operation_that_ends(ask: Ask, shop: Store) -> None:
    later = ask(SET, {"i": {"title": "Hat"}, "sync": False})["data"]["productSet"]
    operation = later["productSetOperation"]
    assert (later["product"], operation["status"], operation["product"]) == (None, "CREATED", None)
    query = (
        "query($id:ID!){productOperation(id:$id){status product{title} ... on ProductSetOperation{userErrors{code}}}}"
    )
    with clock.frozen(shop.now() + timedelta(seconds=5)):
        done = ask(query, {"id": operation["id"]})["data"]["productOperation"]
    assert done == {"status": "COMPLETE", "product": {"title": "Hat"}, "userErrors": []}


def test_files_and_metafields_are_lists_of_which_the_rest_is_deleted(ask: Ask, shop: Store) -> None:
    wool = {"namespace": "custom", "key": "material", "type": "single_line_text_field", "value": "Wool"}
    front = {"originalSource": "https://cdn.example.com/front.jpg", "alt": "Front"}
    back = {"originalSource": "https://cdn.example.com/back.jpg"}
    found = put(
        ask,
        title="Hat",
        files=[front, back],
        metafields=[wool, {**wool, "key": "care"}],
        productOptions=sizes("S"),
        variants=[size("S", metafields=[{**wool, "key": "size"}])],
    )
    assert found["userErrors"] == []
    made = shop.find_product_by_handle("hat")
    assert made is not None
    assert [(one.url, one.alt) for one in shop.media.shown_by(made.id)] == [
        ("https://cdn.example.com/front.jpg", "Front"),
        ("https://cdn.example.com/back.jpg", None),
    ]
    assert {one.key for one in shop.metafields.of("Product", made.id)} == {"material", "care"}
    assert [one.key for one in shop.metafields.of("ProductVariant", made.variant_ids[0])] == ["size"]
    put(ask, {"id": found["product"]["id"]}, files=[], metafields=[wool])
    assert shop.media.shown_by(made.id) == []
    assert {one.key for one in shop.metafields.of("Product", made.id)} == {"material"}


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"files": [{"originalSource": "front.jpg"}]}, ["input", "files", "0", "originalSource"]),
        ({"files": [{"id": "gid://shopify/MediaImage/9"}]}, ["input", "files", "0", "id"]),
        (
            {"files": [{"originalSource": "https://cdn.example.com/a.jpg", "alt": "x" * 513}]},
            ["input", "files", "0", "alt"],
        ),
        ({"metafields": [{"key": "a", "type": "colour", "value": "1"}]}, ["input", "metafields", "0", "type"]),
        ({"metafields": [{"key": "a", "type": "boolean", "value": "1"}]}, ["input", "metafields", "0", "value"]),
        ({"metafields": [{"type": "boolean", "value": "true"}]}, ["input", "metafields", "0", "key"]),
    ],
)
def test_wrong_files_and_metafields_make_nothing(ask: Ask, shop: Store, fields: dict[str, Any], at: list[str]) -> None:
    before = len(shop.products)
    found = put(ask, title="Hat", **fields)
    assert [error["field"] for error in found["userErrors"]] == [at]
    assert len(shop.products) == before
