"""Collections: reading them, and the mutations that change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncline.sandbox.shopify.edits import apply_edit
from syncline.sandbox.shopify.engine import Engine
from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
SHIRT, MUG, COAT, APRON, RUG = (7000000000000 + number for number in range(1, 6))
MANUAL, SMART = "gid://shopify/Collection/480000000001", "gid://shopify/Collection/480000000002"


def gid(number: int) -> str:
    return f"gid://shopify/Product/{number}"


@pytest.fixture
def made(shop: Store) -> None:
    manual = {"title": "By hand", "products": [RUG, MUG, SHIRT], "sort_order": "MANUAL"}
    rule = {"column": "VARIANT_PRICE", "relation": "GREATER_THAN", "condition": "2.5"}
    smart = {"title": "Dear", "rules": [rule], "sort_order": "PRICE_DESC", "description_html": "<b>Dear</b>"}
    for fields in (manual, smart):
        apply_edit(shop, {"action": "create", "kind": "collection", "set": fields})


@pytest.mark.usefixtures("made")
def test_a_smart_one_tells_its_rules_and_a_manual_one_null(ask: Ask) -> None:
    query = (
        "{ collections(first: 5) { nodes { title handle sortOrder description productsCount { count precision }"
        " ruleSet { appliedDisjunctively rules { column relation condition } } } } collectionsCount { count } }"
    )
    rules = [{"column": "VARIANT_PRICE", "relation": "GREATER_THAN", "condition": "2.5"}]
    for version in ("2025-10", "2026-10"):
        data = ask(query, version=version)["data"]
        assert data["collectionsCount"] == {"count": 2}
        assert data["collections"]["nodes"] == [
            {
                "title": "By hand",
                "handle": "by-hand",
                "sortOrder": "MANUAL",
                "description": "",
                "productsCount": {"count": 3, "precision": "EXACT"},
                "ruleSet": None,
            },
            {
                "title": "Dear",
                "handle": "dear",
                "sortOrder": "PRICE_DESC",
                "description": "Dear",
                "productsCount": {"count": 3, "precision": "EXACT"},
                "ruleSet": {"appliedDisjunctively": False, "rules": rules},
            },
        ]


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("collection", "arguments", "expected"),
    [
        (MANUAL, "", [RUG, MUG, SHIRT]),
        (MANUAL, ", reverse: true", [SHIRT, MUG, RUG]),
        (MANUAL, ", sortKey: ID", [SHIRT, MUG, RUG]),
        (MANUAL, ", sortKey: TITLE", [SHIRT, MUG, RUG]),
        (MANUAL, ", sortKey: PRICE", [MUG, RUG, SHIRT]),
        (SMART, "", [SHIRT, RUG, APRON]),
    ],
)
def test_products_come_in_the_collections_order_page_by_page(
    ask: Ask, collection: str, arguments: str, expected: list[int]
) -> None:
    query = (
        f"query($id: ID!, $after: String) {{ collection(id: $id) {{ products(first: 2, after: $after{arguments})"
        " { nodes { id } pageInfo { endCursor hasNextPage } } } }"
    )
    first = ask(query, {"id": collection})["data"]["collection"]["products"]
    after = first["pageInfo"]["endCursor"]
    second = ask(query, {"id": collection, "after": after})["data"]["collection"]["products"]
    assert [one["id"] for one in first["nodes"] + second["nodes"]] == list(map(gid, expected))
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)


@pytest.mark.usefixtures("made")
def test_all_orders_of_a_collection_page_without_loss(ask: Ask, shop: Store) -> None:
    orders = ("ALPHA_ASC", "ALPHA_DESC", "BEST_SELLING", "CREATED", "CREATED_DESC", "PRICE_ASC", "MOST_RELEVANT")
    query = f'{{ collection(id: "{MANUAL}") {{ products(first: 9) {{ nodes {{ title }} }} }} }}'
    titles = {}
    for order in orders:
        apply_edit(shop, {"kind": "collection", "id": MANUAL, "set": {"sort_order": order}})
        titles[order] = [one["title"] for one in ask(query)["data"]["collection"]["products"]["nodes"]]
    assert titles["ALPHA_ASC"] == ["Linen Shirt", "Mug", "Zebra Rug"] == titles["CREATED"]
    assert titles["ALPHA_DESC"] == ["Zebra Rug", "Mug", "Linen Shirt"] == titles["CREATED_DESC"]
    assert titles["PRICE_ASC"] == ["Mug", "Zebra Rug", "Linen Shirt"]


@pytest.mark.usefixtures("made")
def test_a_product_knows_its_collections(ask: Ask) -> None:
    query = (
        f"query($id: ID!) {{ product(id: $id) {{ collections(first: 5) {{ nodes {{ title }} }}"
        f' inCollection(id: "{SMART}")'
        ' smart: collections(first: 5, query: "collection_type:smart") { nodes { title } } } }'
    )
    assert ask(query, {"id": gid(SHIRT)})["data"]["product"] == {
        "collections": {"nodes": [{"title": "By hand"}, {"title": "Dear"}]},
        "inCollection": True,
        "smart": {"nodes": [{"title": "Dear"}]},
    }


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("search", "titles"),
    [
        ("collection_type:custom", ["By hand"]),
        ("handle:dear", ["Dear"]),
        (f"product_id:{MUG}", ["By hand"]),
        ("title:hand", ["By hand"]),
        ("hand", ["By hand"]),
        ("updated_at:<'2020-01-01'", []),
        ("id:>480000000001", ["Dear"]),
    ],
)
def test_collections_are_found(ask: Ask, search: str, titles: list[str]) -> None:
    query = (
        "query($q: String) { collections(first: 9, query: $q) { nodes { title } }"
        " collectionsCount(query: $q) { count } }"
    )
    data = ask(query, {"q": search})["data"]
    assert [one["title"] for one in data["collections"]["nodes"]] == titles
    assert data["collectionsCount"]["count"] == len(titles)


@pytest.mark.usefixtures("made")
def test_products_filter_by_collection(ask: Ask) -> None:
    query = '{ products(first: 9, query: "collection_id:480000000001") { nodes { id } } }'
    assert [one["id"] for one in ask(query)["data"]["products"]["nodes"]] == list(map(gid, (SHIRT, MUG, RUG)))


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("version", ["2025-10", "2026-10"])
def test_an_update_is_written_once(ask: Ask, shop: Store, engine: Engine, version: str) -> None:
    query = (
        "mutation($c: CollectionInput!) { collectionUpdate(input: $c) { collection { title seo { title } } job { id }"
        " userErrors { field message } } }"
    )
    given = {"id": MANUAL, "title": "New", "seo": {"title": "Seo"}, "sortOrder": "CREATED", "handle": "New one"}
    answer = ask(query, {"c": given}, version=version)["data"]["collectionUpdate"]
    assert answer == {"collection": {"title": "New", "seo": {"title": "Seo"}}, "job": None, "userErrors": []}
    assert shop.collections.by_id[480000000001].handle == "new-one"
    revision = shop.revision
    ask(query, {"c": given}, version=version)
    assert shop.revision == revision
    assert engine.world.ledger.times_written() == {"Collection/480000000001": 2}


@pytest.mark.usefixtures("made")
def test_adding_and_removing_products(ask: Ask, shop: Store) -> None:
    add = (
        "mutation($id: ID!, $p: [ID!]!) { collectionAddProducts(id: $id, productIds: $p)"
        " { collection { id } userErrors { field message } } }"
    )
    remove = (
        "mutation($id: ID!, $p: [ID!]!) { collectionRemoveProducts(id: $id, productIds: $p)"
        " { job { id done } userErrors { field message } } }"
    )
    wanted = {"id": MANUAL, "p": [gid(COAT)]}
    assert ask(add, wanted)["data"]["collectionAddProducts"]["userErrors"] == []
    assert list(shop.collections.members[480000000001]) == [RUG, MUG, SHIRT, COAT]
    wanted = {"id": MANUAL, "p": [gid(COAT), gid(MUG)]}
    job = ask(remove, wanted)["data"]["collectionRemoveProducts"]["job"]
    assert list(shop.collections.members[480000000001]) == [RUG, SHIRT]
    asked = ask("query($id: ID!) { job(id: $id) { done } }", {"id": job["id"]})
    assert (job["done"], asked["data"]["job"]) == (True, {"done": True})
    refused = ask(add, wanted | {"id": SMART})["data"]["collectionAddProducts"]
    assert refused["userErrors"] == [{"field": ["id"], "message": "Can't manually add products to a smart collection"}]


@pytest.mark.usefixtures("made")
def test_a_product_that_is_in_already_keeps_all_from_being_added(ask: Ask, shop: Store, engine: Engine) -> None:
    """By the schema of `productIds`; the second version has nothing against it."""
    add = (
        "mutation($id: ID!, $p: [ID!]!) { collectionAddProducts(id: $id, productIds: $p)"
        " { collection { id } userErrors { field message } } }"
    )
    again = (
        "mutation($id: ID!, $p: [ID!]!) { collectionAddProductsV2(id: $id, productIds: $p)"
        " { job { done } userErrors { field message code } } }"
    )
    revision, wanted = shop.revision, {"id": MANUAL, "p": [gid(COAT), gid(MUG)]}
    assert ask(add, wanted)["data"]["collectionAddProducts"] == {
        "collection": None,
        "userErrors": [{"field": ["productIds"], "message": "Product is already in the collection"}],
    }
    assert (shop.revision, engine.world.ledger.times_written()) == (revision, {})
    assert ask(again, wanted)["data"]["collectionAddProductsV2"]["userErrors"] == []
    assert list(shop.collections.members[480000000001]) == [RUG, MUG, SHIRT, COAT]


def test_a_smart_collection_is_made_and_deleted(ask: Ask, shop: Store) -> None:
    create = (
        "mutation($c: CollectionInput!) { collectionCreate(input: $c)"
        " { collection { id productsCount { count } } userErrors { field message } } }"
    )
    rules = [{"column": "TAG", "relation": "EQUALS", "condition": "linen"}]
    given = {"title": "Linen", "ruleSet": {"appliedDisjunctively": True, "rules": rules}}
    made = ask(create, {"c": given})["data"]["collectionCreate"]
    assert (made["userErrors"], made["collection"]["productsCount"]) == ([], {"count": 1})
    blank = ask(create, {"c": {"title": " "}})["data"]["collectionCreate"]["userErrors"]
    assert blank == [{"field": ["title"], "message": "Title can't be blank"}]
    delete = "mutation($id: ID!) { collectionDelete(input: {id: $id}) { deletedCollectionId userErrors { message } } }"
    answer = ask(delete, {"id": made["collection"]["id"]})["data"]["collectionDelete"]
    assert (answer["deletedCollectionId"], shop.collections.by_id) == (made["collection"]["id"], {})
    events = ask(
        '{ events(first: 5, query: "verb:destroy") { nodes { ... on BasicEvent { subjectId subjectType } } } }'
    )
    assert events["data"]["events"]["nodes"] == [{"subjectId": made["collection"]["id"], "subjectType": "COLLECTION"}]
