"""Stock: compared before it is set, keyed so that a repeat changes nothing twice, and answered row by row."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from syncline.connectors.shopify import actions
from syncline.connectors.shopify.testing import Asked, RecordedStore, graphql_error, open_client, read_request
from syncline.kernel.errors import Fatal, Retriable
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.connect.testing import ScriptedVendor, dropped_after, status
from syncline.sandbox.server import running
from syncline.sandbox.shopify.faults import Fault

VERSIONS = pytest.mark.parametrize("version", ["2026-10", "2025-10"])


def levels_of(sandbox: Any, count: int) -> list[tuple[int, int, int]]:
    return [(*key, level.available) for key, level in list(sandbox.store.levels.items())[:count]]


@VERSIONS
async def test_stale_row_is_refused_and_the_others_are_set(version: str, sandbox: Any) -> None:
    (a, at_a, now_a), (b, at_b, now_b), (c, at_c, now_c) = levels_of(sandbox, 3)
    changes = [(a, at_a, now_a + 1, now_a), (b, at_b, now_b + 2, now_b + 77), (c, at_c, now_c + 3, None)]
    async with sandbox.client(api_version=version) as client:
        results = await actions.set_inventory(client, changes, idempotency_key="k")
    assert [(r.key, r.ok, r.is_stale) for r in results] == [
        ((a, at_a), True, False),
        ((b, at_b), False, True),
        ((c, at_c), True, False),
    ]
    after = [sandbox.store.levels[item, place].available for item, place, _, _ in changes]
    assert after == [now_a + 1, now_b, now_c + 3]
    assert results[0].values == {"available": now_a + 1}


@VERSIONS
async def test_same_call_again_after_a_crash_gives_the_same_answer(version: str, sandbox: Any) -> None:
    (a, at_a, now_a), (b, at_b, now_b) = levels_of(sandbox, 2)
    changes = [(a, at_a, now_a + 1, now_a), (b, at_b, now_b + 2, now_b + 77), (9, at_b, 1, 1)]
    async with sandbox.client(api_version=version) as client:
        first = await actions.set_inventory(client, changes, idempotency_key="k")
        revision = sandbox.store.revision
        second = await actions.set_inventory(client, changes, idempotency_key="k")
    assert [(r.key, r.ok, r.is_stale) for r in first] == [(r.key, r.ok, r.is_stale) for r in second]
    assert sandbox.store.revision == revision


async def test_lost_answer_is_asked_for_again_under_the_same_key(sandbox: Any) -> None:
    item, place, now = levels_of(sandbox, 1)[0]
    sandbox.world.faults.add(Fault("drop_after", count=1, match="SetInventory"))
    async with running(sandbox.app) as url, sandbox.client(base_url=url) as client:
        (result,) = await actions.set_inventory(client, [(item, place, now + 5, now)], idempotency_key="k")
    assert result.ok
    assert sandbox.store.levels[item, place].available == now + 5
    written_once, answered_again = sandbox.world.ledger.select(mutation="inventorySetQuantities")
    assert (written_once.replayed, answered_again.replayed) == (False, True)


async def test_lost_answer_on_the_old_version_is_unknown() -> None:
    vendor = ScriptedVendor(RecordedStore(answers={"SetInventory": lambda _: {}})).then(dropped_after)
    async with open_client(vendor.transport, api_version="2025-10") as client:
        with pytest.raises(OutcomeUnknown):
            await actions.set_inventory(client, [(1, 2, 3, 4)], idempotency_key="k")
    assert len(vendor.requests) == 1


Answer = Callable[[Asked], dict[str, Any]]


def written(request: Asked) -> dict[str, Any]:
    """Every row was carried out, and its level is as it was asked for."""
    places = {gid: name for name, gid in request.variables.items() if name.startswith("place")}
    changes = []
    for row in request.variables["input"]["quantities"]:
        level = {"updatedAt": "t", "quantities": [{"quantity": row["quantity"]}]}
        levels = {**dict.fromkeys(places.values()), places[row["locationId"]]: level}
        changes.append({"item": {"id": row["inventoryItemId"], **levels}})
    return {"inventorySetQuantities": {"inventoryAdjustmentGroup": {"changes": changes}, "userErrors": []}}


def refused(code: str, field: list[str] | None = None) -> Answer:
    error = {"field": field, "code": code, "message": "in words that change"}
    return lambda _: {"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": [error]}}


def scripted(*answers: Answer, version: str = "2026-10") -> tuple[ScriptedVendor, list[Asked]]:
    left, asked = list(answers), list[Asked]()

    def answer(request: Asked) -> dict[str, Any]:
        asked.append(request)
        make = left.pop(0) if len(left) > 1 else left[0]
        return make(request)

    return ScriptedVendor(RecordedStore(version=version, answers={"SetInventory": answer})), asked


async def test_expected_quantity_is_always_sent_also_when_there_is_none() -> None:
    vendor, asked = scripted(written)
    async with open_client(vendor.transport) as client:
        await actions.set_inventory(client, [(1, 2, 3, None)], idempotency_key="k", reference="gid://syncline/Batch/1")
    sent = asked[0].variables["input"]
    assert sent["quantities"][0]["changeFromQuantity"] is None
    assert (sent["name"], sent["reason"], sent["referenceDocumentUri"]) == (
        "available",
        "correction",
        "gid://syncline/Batch/1",
    )


async def test_old_version_keeps_rows_with_and_without_comparison_apart() -> None:
    vendor, asked = scripted(written, version="2025-10")
    async with open_client(vendor.transport, api_version="2025-10") as client:
        results = await actions.set_inventory(
            client, [(1, 2, 3, None), (4, 5, 6, 7), (8, 9, 1, 2)], idempotency_key="k"
        )
    sent = [(len(a.variables["input"]["quantities"]), a.variables["input"]["ignoreCompareQuantity"]) for a in asked]
    assert sent == [(2, False), (1, True)]
    assert [r.key for r in results] == [(1, 2), (4, 5), (8, 9)]
    assert "key" not in asked[0].variables


async def test_key_depends_on_the_callers_key_and_on_the_rows_and_on_nothing_else() -> None:
    vendor, asked = scripted(written)
    async with open_client(vendor.transport) as client:
        for key, rows in (("a", [(1, 2, 3, 4)]), ("a", [(1, 2, 3, 4)]), ("b", [(1, 2, 3, 4)]), ("a", [(1, 2, 3, 5)])):
            await actions.set_inventory(client, rows, idempotency_key=key)
    keys = [a.variables["key"] for a in asked]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


async def test_request_that_is_still_at_work_is_waited_for() -> None:
    vendor, asked = scripted(refused("IDEMPOTENCY_CONCURRENT_REQUEST"), written)
    async with open_client(vendor.transport) as client:
        (result,) = await actions.set_inventory(client, [(1, 2, 3, 4)], idempotency_key="k")
    assert result.ok
    assert asked[0].variables["key"] == asked[1].variables["key"]


async def test_key_of_an_attempt_that_failed_is_replaced_by_the_next_of_a_fixed_row() -> None:
    vendor, asked = scripted(refused("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"), written)
    async with open_client(vendor.transport) as client:
        (result,) = await actions.set_inventory(client, [(1, 2, 3, 4)], idempotency_key="k")
    assert result.ok
    assert asked[0].variables["key"] != asked[1].variables["key"]


async def test_attempts_that_keep_failing_are_left_to_the_queue() -> None:
    vendor, _ = scripted(refused("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"))
    async with open_client(vendor.transport) as client:
        with pytest.raises(Retriable):
            await actions.set_inventory(client, [(1, 2, 3, 4)], idempotency_key="k")


async def test_key_of_another_change_is_fatal() -> None:
    vendor, _ = scripted(refused("IDEMPOTENCY_KEY_PARAMETER_MISMATCH"))
    async with open_client(vendor.transport) as client:
        with pytest.raises(Fatal):
            await actions.set_inventory(client, [(1, 2, 3, 4)], idempotency_key="k")


async def test_error_of_the_whole_call_is_the_answer_to_each_row() -> None:
    vendor, asked = scripted(refused("INVALID_REASON", ["input", "reason"]))
    async with open_client(vendor.transport) as client:
        results = await actions.set_inventory(client, [(1, 2, 3, 4), (5, 6, 7, 8)], idempotency_key="k")
    assert [r.ok for r in results] == [False, False]
    assert results[1].errors[0].code == "INVALID_REASON"
    assert len(asked) == 1


async def test_stale_row_that_is_as_it_should_be_counts_as_written() -> None:
    vendor, _ = scripted(refused("CHANGE_FROM_QUANTITY_STALE", ["input", "quantities", "0", "changeFromQuantity"]))
    quantities = [{"name": "available", "quantity": 3}]
    level = {"id": "gid://shopify/InventoryLevel/2?inventory_item_id=1", "updatedAt": "t", "quantities": quantities}
    node = {"id": "gid://shopify/InventoryItem/1", "inventoryLevel": level}
    store = vendor.well
    assert isinstance(store, RecordedStore)
    store.answers["ReadLevels"] = lambda _: {"nodes": [node]}
    async with open_client(vendor.transport) as client:
        (result,) = await actions.set_inventory(client, [(1, 2, 3, 4)], idempotency_key="k")
    assert (result.ok, result.updated_at) == (True, "t")


async def test_more_than_250_rows_go_in_several_calls() -> None:
    vendor, asked = scripted(written)
    async with open_client(vendor.transport) as client:
        results = await actions.set_inventory(client, [(n, 2, 3, 4) for n in range(1, 602)], idempotency_key="k")
    assert [len(a.variables["input"]["quantities"]) for a in asked] == [250, 250, 101]
    assert all(r.ok for r in results)


async def test_same_key_is_used_when_the_vendor_stumbles() -> None:
    vendor, asked = scripted(written)
    vendor.then(status(502), lambda *_: graphql_error("INTERNAL_SERVER_ERROR"))
    async with open_client(vendor.transport) as client:
        await actions.set_inventory(client, [(1, 2, 3, 4)], idempotency_key="k")
    sent = {read_request(request).variables["key"] for request in vendor.requests}
    assert len(vendor.requests) == 3
    assert sent == {asked[0].variables["key"]}
    assert isinstance(vendor.requests[0], httpx.Request)
