"""Metafields: set over the digest that was read, all the others of a call all the same, and deleted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from syncline.connectors.shopify import actions, ids
from syncline.connectors.shopify.metafields import MAX_AT_ONCE, MetafieldKey, MetafieldWrite
from syncline.connectors.shopify.testing import Asked, RecordedStore, open_client
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.connect.testing import ScriptedVendor
from syncline.sandbox.server import running
from syncline.sandbox.shopify.faults import Fault

VERSIONS = pytest.mark.parametrize("version", ["2026-10", "2025-10"])
TEXT = "single_line_text_field"


def key_of(product: int, key: str = "material", namespace: str = "custom") -> MetafieldKey:
    return MetafieldKey(ids.PRODUCT, product, namespace, key)


def products(sandbox: Any, count: int) -> list[int]:
    return list(sandbox.store.products)[:count]


def have(sandbox: Any, product: int, value: str, key: str = "material") -> str:
    """A merchant's metafield; its digest."""
    made = sandbox.store.metafields.set("Product", product, "custom", key, TEXT, value)
    return str(made.compare_digest)


def value_of(sandbox: Any, product: int, key: str = "material") -> str | None:
    found = sandbox.store.metafields.find("Product", product, "custom", key)
    return found.value if found else None


async def test_reading_tells_what_is_there_what_is_not_and_whose_owner_is_gone(sandbox: Any) -> None:
    one, two = products(sandbox, 2)
    variant = next(iter(sandbox.store.variants))
    digest = have(sandbox, one, "Wool")
    sandbox.store.metafields.set("ProductVariant", variant, "custom", "material", TEXT, "Silk")
    of_variant = MetafieldKey(ids.VARIANT, variant, "custom", "material")
    async with sandbox.client() as client:
        found = await actions.read_metafields(client, [key_of(one), key_of(two), key_of(99), of_variant])
    held, silk = found[key_of(one)], found[of_variant]
    assert held is not None
    assert (held.value, held.key, held.compareDigest) == ("Wool", "material", digest)
    assert silk is not None
    assert silk.value == "Silk"
    assert found[key_of(two)] is None
    assert key_of(99) not in found


@VERSIONS
async def test_stale_row_is_refused_and_the_others_are_set(version: str, sandbox: Any) -> None:
    one, two, three = products(sandbox, 3)
    old = have(sandbox, one, "Wool")
    have(sandbox, one, "Linen")
    digest = have(sandbox, two, "Wool")
    rows = [
        MetafieldWrite(key_of(one), TEXT, "Cotton", old),
        MetafieldWrite(key_of(two), TEXT, "Cotton", digest),
        MetafieldWrite(key_of(three), TEXT, "Cotton", None),
    ]
    async with sandbox.client(api_version=version) as client:
        results = await actions.set_metafields(client, rows)
    assert [(result.ok, result.is_stale) for result in results] == [(False, True), (True, False), (True, False)]
    assert [value_of(sandbox, one), value_of(sandbox, two), value_of(sandbox, three)] == ["Linen", "Cotton", "Cotton"]
    assert results[1].values["value"] == "Cotton"
    assert results[1].values["compareDigest"] != digest


async def test_one_that_must_not_exist_yet_is_not_written_over(sandbox: Any) -> None:
    (one,) = products(sandbox, 1)
    have(sandbox, one, "Wool")
    async with sandbox.client() as client:
        (result,) = await actions.set_metafields(client, [MetafieldWrite(key_of(one), TEXT, "Cotton", None)])
    assert result.is_stale
    assert value_of(sandbox, one) == "Wool"


async def test_digest_of_one_that_was_deleted_is_stale(sandbox: Any) -> None:
    (one,) = products(sandbox, 1)
    digest = have(sandbox, one, "Wool")
    sandbox.store.metafields.delete(sandbox.store.metafields.find("Product", one, "custom", "material"))
    async with sandbox.client() as client:
        (result,) = await actions.set_metafields(client, [MetafieldWrite(key_of(one), TEXT, "Cotton", digest)])
    assert result.is_stale
    assert value_of(sandbox, one) is None


async def test_value_the_store_refuses_is_told_with_its_code(sandbox: Any) -> None:
    one, two = products(sandbox, 2)
    rows = [
        MetafieldWrite(key_of(one), "number_integer", "many", None),
        MetafieldWrite(key_of(two), "number_integer", "5", None),
    ]
    async with sandbox.client() as client:
        wrong, good = await actions.set_metafields(client, rows)
    assert (wrong.ok, wrong.is_stale, wrong.errors[0].code) == (False, False, "INVALID_VALUE")
    assert good.ok


async def test_calls_hold_25_and_each_is_written_once(sandbox: Any) -> None:
    rows = [MetafieldWrite(key_of(number), TEXT, f"v{number}", None) for number in products(sandbox, 40)]
    rows += [MetafieldWrite(key_of(number, "color"), TEXT, "red", None) for number in products(sandbox, 40)]
    async with sandbox.client() as client:
        results = await actions.set_metafields(client, rows)
    assert all(result.ok for result in results)
    assert [result.key for result in results] == [row.key for row in rows]
    entries = sandbox.world.ledger.select(mutation="metafieldsSet")
    assert [len(entry.changes) for entry in entries] == [MAX_AT_ONCE, MAX_AT_ONCE, MAX_AT_ONCE, 5]
    assert set(Counter(change.id for entry in entries for change in entry.changes).values()) == {1}


async def test_lost_answer_is_unknown_and_written_once(sandbox: Any) -> None:
    (one,) = products(sandbox, 1)
    sandbox.world.faults.add(Fault("drop_after", count=1, match="SetMetafields"))
    async with running(sandbox.app) as url, sandbox.client(base_url=url) as client:
        with pytest.raises(OutcomeUnknown):
            await actions.set_metafields(client, [MetafieldWrite(key_of(one), TEXT, "Cotton", None)])
    assert value_of(sandbox, one) == "Cotton"
    assert len(sandbox.world.ledger.select(mutation="metafieldsSet")) == 1


async def test_deleting_takes_what_is_there_and_does_not_mind_what_is_not(sandbox: Any) -> None:
    one, two = products(sandbox, 2)
    have(sandbox, one, "Wool")
    async with sandbox.client() as client:
        results = await actions.delete_metafields(client, [key_of(one), key_of(two)])
    assert [result.ok for result in results] == [True, True]
    assert value_of(sandbox, one) is None


def refusing(*errors: dict[str, Any]) -> tuple[ScriptedVendor, list[Asked]]:
    """A store that refuses any call of more than one row in these words, and takes single rows."""
    store, asked = RecordedStore(), []

    def answer(request: Asked) -> dict[str, Any]:
        asked.append(request)
        given = request.variables["metafields"]
        if len(given) > 1:
            return {"metafieldsSet": {"metafields": [], "userErrors": list(errors)}}
        node = {
            "id": "gid://shopify/Metafield/1",
            "namespace": given[0]["namespace"],
            "key": given[0]["key"],
            "type": TEXT,
            "value": given[0]["value"],
            "compareDigest": "d",
            "owner": {"id": given[0]["ownerId"]},
            "createdAt": "2026-11-22T10:00:00Z",
            "updatedAt": "2026-11-22T10:00:00Z",
        }
        return {"metafieldsSet": {"metafields": [node], "userErrors": []}}

    store.answers["SetMetafields"] = answer
    return ScriptedVendor(store), asked


ROWS = [MetafieldWrite(key_of(number), TEXT, "v", None) for number in (1, 2)]


async def test_error_that_names_its_row_by_index_only_is_of_that_row() -> None:
    vendor, asked = refusing({"field": None, "message": "Moved.", "code": "STALE_OBJECT", "elementIndex": 1})
    async with open_client(vendor.transport) as client:
        first, second = await actions.set_metafields(client, ROWS)
    assert (first.ok, second.is_stale) == (True, True)
    assert len(asked) == 2


async def test_error_that_names_no_row_has_each_asked_for_alone() -> None:
    vendor, asked = refusing({"field": None, "message": "Too large.", "code": "INVALID", "elementIndex": None})
    async with open_client(vendor.transport) as client:
        results = await actions.set_metafields(client, ROWS)
    assert [result.ok for result in results] == [True, True]
    assert [len(one.variables["metafields"]) for one in asked] == [2, 1, 1]
