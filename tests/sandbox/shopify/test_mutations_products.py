from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from syncline.kernel import clock
from syncline.sandbox.shopify.engine import Engine
from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
SHIRT = "gid://shopify/Product/7000000000001"
UPDATE = (
    "mutation($p:ProductUpdateInput!){productUpdate(product:$p){product{title handle tags updatedAt seo{title}}"
    " userErrors{field message}}}"
)
CREATE = (
    "mutation($p:ProductCreateInput!){productCreate(product:$p){product{id title handle vendor status"
    " options{name values} variants(first:5){nodes{title price inventoryItem{tracked}}}} userErrors{field message}}}"
)


def update(ask: Ask, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = ask(UPDATE, {"p": {"id": SHIRT, **fields}})["data"]["productUpdate"]
    return found


def test_an_update_changes_what_is_given_and_bumps_the_time(ask: Ask, shop: Store) -> None:
    before = shop.now()
    found = update(ask, title="Linen Shirt II", tags=["new, Old", "old"], seo={"title": "Shirt"})
    assert found["userErrors"] == []
    assert found["product"]["title"] == "Linen Shirt II"
    assert found["product"]["tags"] == ["new", "Old"]
    assert found["product"]["seo"] == {"title": "Shirt"}
    assert shop.products[7000000000001].vendor == "Acme"
    assert shop.products[7000000000001].updated_at >= before


def test_an_update_of_the_same_values_leaves_the_time_alone(ask: Ask) -> None:
    assert update(ask, title="Linen Shirt")["product"]["updatedAt"] == "2026-01-05T08:00:00Z"


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"title": " "}, ["title"], "Title can't be blank"),
        ({"title": None}, ["title"], "Title can't be blank"),
        ({"title": "x" * 256}, ["title"], "Title is too long (maximum is 255 characters)"),
        ({"handle": "product-1"}, ["handle"], "Handle 'product-1' already in use. Please provide a new handle."),
        ({"id": "gid://shopify/Product/404"}, ["id"], "Product does not exist"),
    ],
)
def test_what_is_wrong_is_a_user_error_and_changes_nothing(
    ask: Ask, shop: Store, fields: dict[str, Any], field: list[str], message: str
) -> None:
    revision = shop.revision
    assert update(ask, **fields)["userErrors"] == [{"field": field, "message": message}]
    assert shop.revision == revision


def test_a_new_product_gets_a_handle_of_its_title_and_one_variant(ask: Ask) -> None:
    found = ask(CREATE, {"p": {"title": "Café “Noir” 2"}})["data"]["productCreate"]
    assert found["userErrors"] == []
    assert found["product"]["handle"] == "cafe-noir-2"
    assert (found["product"]["vendor"], found["product"]["status"]) == ("Sandbox Supply", "ACTIVE")
    assert found["product"]["variants"]["nodes"] == [
        {"title": "Default Title", "price": "0.00", "inventoryItem": {"tracked": False}}
    ]


def test_a_taken_handle_made_from_a_title_gets_a_number(ask: Ask) -> None:
    handles = [ask(CREATE, {"p": {"title": "Linen shirt"}})["data"]["productCreate"]["product"]["handle"] for _ in "ab"]
    assert handles == ["linen-shirt-1", "linen-shirt-2"]


def test_options_make_the_first_variant_only(ask: Ask) -> None:
    options = [
        {"name": "Size", "values": [{"name": "S"}, {"name": "M"}]},
        {"name": "Colour", "values": [{"name": "Red"}]},
    ]
    product = ask(CREATE, {"p": {"title": "Hat", "productOptions": options}})["data"]["productCreate"]["product"]
    assert product["options"] == [{"name": "Size", "values": ["S", "M"]}, {"name": "Colour", "values": ["Red"]}]
    assert [one["title"] for one in product["variants"]["nodes"]] == ["S / Red"]


def test_unserved_input_is_refused_rather_than_ignored(ask: Ask) -> None:
    sent = {"title": "Hat", "metafields": [{"namespace": "a", "key": "b", "value": "c"}]}
    error = ask(CREATE, {"p": sent})["errors"][0]
    assert error["message"] == "ProductCreateInput.metafields is not served by the sandbox."


def test_a_deleted_product_takes_its_variants_and_levels_along_and_leaves_an_event(ask: Ask, shop: Store) -> None:
    query = f'mutation{{productDelete(input:{{id:"{SHIRT}"}}){{deletedProductId shop{{name}} userErrors{{message}}}}}}'
    assert ask(query)["data"]["productDelete"] == {
        "deletedProductId": SHIRT,
        "shop": {"name": "Sandbox Supply"},
        "userErrors": [],
    }
    assert (len(shop.products), len(shop.variants), len(shop.items), len(shop.levels)) == (4, 4, 4, 4)
    assert [(one.action, one.subject_id) for one in shop.events] == [("destroy", 7000000000001)]
    assert ask(query)["data"]["productDelete"]["userErrors"] == [{"message": "Product does not exist"}]


def test_tags_are_added_and_removed_without_regard_to_case(ask: Ask) -> None:
    added = f'mutation{{tagsAdd(id:"{SHIRT}",tags:["Sale, LINEN"]){{node{{... on Product{{tags}}}}}}}}'
    removed = f'mutation{{tagsRemove(id:"{SHIRT}",tags:["SUMMER"]){{node{{... on Product{{tags}}}}}}}}'
    assert ask(added)["data"]["tagsAdd"]["node"] == {"tags": ["Linen", "Sale", "summer"]}
    assert ask(removed)["data"]["tagsRemove"]["node"] == {"tags": ["Linen", "Sale"]}


def test_what_cannot_be_tagged_is_not_found(ask: Ask) -> None:
    answer = ask('mutation{tagsAdd(id:"gid://shopify/Location/1",tags:["a"]){userErrors{message}}}')
    assert (answer["data"], answer["errors"][0]["extensions"]) == ({"tagsAdd": None}, {"code": "RESOURCE_NOT_FOUND"})


def test_the_ledger_tells_what_was_written_and_what_was_refused(ask: Ask, engine: Engine) -> None:
    update(ask, title="New")
    update(ask, title="")
    applied, refused = engine.world.ledger.entries
    assert applied.mutation == "productUpdate"
    assert [(one.kind, one.id, one.values) for one in applied.changes] == [("Product", 7000000000001, {"title": "New"})]
    assert (refused.changes, refused.user_errors[0]["message"]) == ([], "Title can't be blank")
    assert engine.world.ledger.times_written() == {"Product/7000000000001": 1}


def test_times_are_whole_seconds(ask: Ask) -> None:
    with clock.frozen(datetime.fromisoformat("2026-02-01T00:00:00.750+00:00") + timedelta(seconds=1)):
        assert update(ask, title="Later")["product"]["updatedAt"] == "2026-02-01T00:00:01Z"
