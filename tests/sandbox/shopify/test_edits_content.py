"""A merchant's edits of collections, media and metafields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from syncline.kernel import clock
from syncline.sandbox.shopify.edits import EditError, apply_edit
from syncline.sandbox.shopify.state import Store

LATER = datetime.fromisoformat("2100-11-05T12:00:00Z")
SHIRT, MUG, COAT = 7000000000001, 7000000000002, 7000000000003
PICTURE = {"action": "create", "kind": "media", "product": SHIRT, "set": {"url": "https://cdn.example/a.jpg"}}
CARE = {
    "kind": "metafield",
    "owner": f"gid://shopify/Product/{SHIRT}",
    "set": {"namespace": "custom", "key": "care", "value": "Wash cold"},
}


def collection(shop: Store, **fields: Any) -> int:
    made = apply_edit(shop, {"action": "create", "kind": "collection", "set": {"title": "Sale", **fields}})
    return int(made["id"])


def test_a_manual_collection_moves_when_its_products_do(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    number = collection(shop, products=[SHIRT])
    monkeypatch.setattr(clock, "now", lambda: LATER)
    apply_edit(shop, {"action": "add", "kind": "collection", "id": number, "products": [MUG, SHIRT]})
    assert (list(shop.collections.members[number]), shop.collections.by_id[number].updated_at) == ([SHIRT, MUG], LATER)
    apply_edit(shop, {"action": "remove", "kind": "collection", "id": number, "products": [SHIRT]})
    assert (list(shop.collections.members[number]), shop.collections.of_product[SHIRT]) == ([MUG], [])


def test_a_smart_collection_follows_its_rules_and_keeps_its_time(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [
        {"column": "TAG", "relation": "EQUALS", "condition": "LINEN"},
        {"column": "VARIANT_PRICE", "relation": "LESS_THAN", "condition": "2"},
    ]
    number = collection(shop, rules=rules, disjunctive=True)
    made_at = shop.collections.by_id[number].updated_at
    assert list(shop.collections.members[number]) == [SHIRT, MUG]
    monkeypatch.setattr(clock, "now", lambda: LATER)
    apply_edit(shop, {"kind": "product", "id": COAT, "set": {"tags": ["linen"]}})
    apply_edit(shop, {"kind": "variant", "id": shop.products[MUG].variant_ids[0], "set": {"price": "3.00"}})
    apply_edit(shop, {"action": "delete", "kind": "product", "id": SHIRT})
    assert list(shop.collections.members[number]) == [COAT]
    assert shop.collections.by_id[number].updated_at == made_at


def test_new_rules_choose_again(shop: Store) -> None:
    number = collection(shop, rules=[{"column": "TITLE", "relation": "CONTAINS", "condition": "rug"}])
    assert len(shop.collections.members[number]) == 1
    rules = [{"column": "VENDOR", "relation": "NOT_EQUALS", "condition": "acme"}]
    apply_edit(shop, {"kind": "collection", "id": number, "set": {"rules": rules}})
    assert len(shop.collections.members[number]) == 4


def test_a_deleted_collection_is_in_the_event_log(shop: Store) -> None:
    number = collection(shop, products=[SHIRT])
    apply_edit(shop, {"action": "delete", "kind": "collection", "id": number})
    assert (shop.collections.by_id, shop.collections.by_handle, shop.collections.of_product[SHIRT]) == ({}, {}, [])
    assert [(one.action, one.subject_type) for one in shop.events][-1] == ("destroy", "COLLECTION")


def test_a_product_that_is_named_twice_is_in_a_new_collection_once_and_can_be_deleted(shop: Store) -> None:
    number = collection(shop, products=[SHIRT, SHIRT, MUG])
    apply_edit(shop, {"action": "delete", "kind": "product", "id": SHIRT})
    assert list(shop.collections.members[number]) == [MUG]
    assert SHIRT not in shop.products


def test_media_bump_their_product_and_go_with_it(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATER)
    first, second = (apply_edit(shop, PICTURE)["id"] for _ in range(2))
    assert shop.products[SHIRT].updated_at == LATER
    apply_edit(shop, {"action": "arrange", "kind": "media", "product": SHIRT, "media": [second, first]})
    apply_edit(shop, {"kind": "media", "id": first, "set": {"alt": "Front"}})
    assert [(one.id, one.alt) for one in shop.media.shown_by(SHIRT)] == [(second, None), (first, "Front")]
    apply_edit(shop, {"action": "delete", "kind": "media", "id": second})
    assert list(shop.media.by_id) == [first]
    apply_edit(shop, {"action": "delete", "kind": "product", "id": SHIRT})
    assert shop.media.by_id == {}


def test_a_metafields_digest_changes_with_its_value(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    number = apply_edit(shop, CARE)["id"]
    before = shop.metafields.by_id[number].compare_digest
    monkeypatch.setattr(clock, "now", lambda: LATER)
    apply_edit(shop, CARE)
    assert shop.metafields.by_id[number].updated_at < LATER
    apply_edit(shop, {"kind": "metafield", "id": number, "set": {"value": "Wash hot"}})
    metafield = shop.metafields.by_id[number]
    assert (metafield.value, metafield.updated_at, shop.products[SHIRT].updated_at) == ("Wash hot", LATER, LATER)
    assert metafield.compare_digest != before


def test_metafields_go_with_their_owner(shop: Store) -> None:
    number = collection(shop)
    owners = (f"Product/{SHIRT}", f"ProductVariant/{shop.products[SHIRT].variant_ids[0]}", f"Collection/{number}")
    for owner in owners:
        apply_edit(shop, CARE | {"owner": f"gid://shopify/{owner}"})
    assert len(shop.metafields.by_id) == 3
    apply_edit(shop, {"action": "delete", "kind": "product", "id": SHIRT})
    apply_edit(shop, {"action": "delete", "kind": "collection", "id": number})
    assert shop.metafields.by_id == {}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"action": "create", "kind": "collection", "set": {}}, "needs a title"),
        (
            {
                "action": "create",
                "kind": "collection",
                "set": {"title": "x", "rules": [{"column": "VARIANT_PRICE", "relation": "LESS_THAN"}]},
            },
            "must be a number",
        ),
        ({"action": "create", "kind": "collection", "set": {"title": "x", "products": [1]}}, "no product 1"),
        ({"kind": "metafield", "owner": "gid://shopify/Shop/1", "set": {}}, "no owner"),
        (CARE | {"set": {"namespace": "a", "key": "b"}}, "needs a value"),
        (PICTURE | {"set": {}}, "need a url"),
        (PICTURE | {"set": {"url": "x", "content_type": "SOUND"}}, "no content_type 'SOUND'"),
    ],
)
def test_an_impossible_edit_says_why(shop: Store, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(EditError, match=says):
        apply_edit(shop, wrong)
