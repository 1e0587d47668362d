"""Starting a bulk operation: a slot is waited for, and none is started twice because an answer was lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from syncline.connectors.shopify import bulk, streams
from syncline.connectors.shopify.sources import bulk_query
from syncline.connectors.shopify.testing import Asked, RecordedStore, open_client, read_request
from syncline.kernel.errors import Fatal
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.connect.testing import ScriptedVendor, dropped_after

SOON = timedelta(milliseconds=5)
OPERATION = "gid://shopify/BulkOperation/77"


def refused(code: str) -> dict[str, Any]:
    error = {"field": None, "code": code, "message": "in words that change"}
    return {"bulkOperationRunQuery": {"bulkOperation": None, "userErrors": [error]}}


def started() -> dict[str, Any]:
    return {"bulkOperationRunQuery": {"bulkOperation": {"id": OPERATION, "status": "CREATED"}, "userErrors": []}}


def operation(status: str, query: str, **changes: Any) -> dict[str, Any]:
    node = dict.fromkeys(("errorCode", "url", "partialDataUrl", "fileSize", "completedAt"))
    counts = {"objectCount": "12", "rootObjectCount": "3", "createdAt": "2026-11-22T10:00:00Z"}
    return {**node, **counts, "id": OPERATION, "status": status, "query": query, **changes}


def store_that(*answers: dict[str, Any]) -> RecordedStore:
    left = list(answers)
    return RecordedStore(answers={"BulkStart": lambda _: left.pop(0) if len(left) > 1 else left[0]})


@pytest.mark.parametrize("code", ["LIMIT_REACHED", "OPERATION_IN_PROGRESS"])
async def test_slot_is_waited_for(code: str) -> None:
    vendor = ScriptedVendor(store_that(refused(code), refused(code), started()))
    async with open_client(vendor.transport) as client:
        assert await bulk.start(client, streams.PRODUCTS, pause=SOON) == OPERATION
    assert len(vendor.requests) == 3


async def test_patience_has_an_end_and_the_queue_may_come_back() -> None:
    async with open_client(ScriptedVendor(store_that(refused("LIMIT_REACHED"))).transport) as client:
        with pytest.raises(bulk.BulkBusy) as caught:
            await bulk.start(client, streams.PRODUCTS, patience=timedelta(milliseconds=20), pause=SOON)
    assert caught.value.wait == SOON


async def test_query_that_shopify_refuses_is_fatal() -> None:
    async with open_client(ScriptedVendor(store_that(refused("INVALID"))).transport) as client:
        with pytest.raises(Fatal, match="refused the bulk export"):
            await bulk.start(client, streams.PRODUCTS)


@pytest.mark.parametrize("version", ["2026-10", "2025-10"])
async def test_operation_whose_start_was_not_answered_is_taken_over(version: str) -> None:
    query = bulk_query("products", since=None)
    store = store_that(started())
    store.version = version
    store.answers["BulkRecent"] = lambda _: {
        "bulkOperations": {"nodes": [operation("RUNNING", "{ other }"), operation("RUNNING", f" {query}\n")]}
    }
    store.answers["BulkCurrent"] = lambda _: {"currentBulkOperation": operation("CREATED", query)}
    vendor = ScriptedVendor(store)
    async with open_client(vendor.transport, api_version=version) as client:
        vendor.then(dropped_after)
        assert await bulk.start(client, streams.PRODUCTS) == OPERATION
    assert [read_request(r).operation for r in vendor.requests].count("BulkStart") == 1


async def test_start_that_left_no_trace_is_unknown_and_not_repeated() -> None:
    store = store_that(started())
    store.answers["BulkRecent"] = lambda _: {"bulkOperations": {"nodes": []}}
    vendor = ScriptedVendor(store).then(dropped_after)
    async with open_client(vendor.transport) as client:
        with pytest.raises(OutcomeUnknown):
            await bulk.start(client, streams.PRODUCTS)
    assert [read_request(r).operation for r in vendor.requests].count("BulkStart") == 1


async def test_state_of_an_operation_that_failed_with_partial_data() -> None:
    failed = operation("FAILED", "{ x }", errorCode="TIMEOUT", partialDataUrl="https://files/p", fileSize="345")
    store = RecordedStore(answers={"BulkFind": lambda _: {"node": failed}})
    async with open_client(ScriptedVendor(store).transport) as client:
        state = await bulk.find(client, OPERATION)
    assert (state.error_code, state.partial_url, state.url) == ("TIMEOUT", "https://files/p", None)
    assert (state.object_count, state.root_object_count, state.file_size) == (12, 3, 345)
    assert not state.is_running
    assert not state.is_complete


async def test_operation_that_shopify_has_forgotten_is_fatal() -> None:
    store = RecordedStore(answers={"BulkFind": lambda _: {"node": None}})
    async with open_client(ScriptedVendor(store).transport) as client:
        with pytest.raises(Fatal, match="start the pull anew"):
            await bulk.find(client, OPERATION)


async def test_waiting_polls_until_the_end() -> None:
    states = ["CREATED", "RUNNING", "RUNNING", "COMPLETED"]

    def found(_: Asked) -> dict[str, Any]:
        return {"node": operation(states.pop(0), "{ x }")}

    async with open_client(ScriptedVendor(RecordedStore(answers={"BulkFind": found})).transport) as client:
        assert (await bulk.wait(client, OPERATION, poll=SOON)).is_complete
    assert states == []


@pytest.mark.parametrize("version", ["2026-10", "2025-10"])
async def test_objects_are_never_asked_to_be_grouped(version: str) -> None:
    vendor = ScriptedVendor(store_that(started()))
    async with open_client(vendor.transport, api_version=version) as client:
        await bulk.start(client, streams.INVENTORY, since=datetime(2026, 11, 22, tzinfo=UTC))
    asked = read_request(vendor.requests[0])
    assert "groupObjects: false" in asked.query
    assert "updated_at:>='2026-11-22T00:00:00Z'" in asked.variables["query"]


async def test_sandbox_limits_an_old_version_to_one_operation(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(faults="bulk_stuck")
    async with sandbox.client(api_version="2025-10") as client:
        first = await bulk.start(client, streams.PRODUCTS)
        with pytest.raises(bulk.BulkBusy):
            await bulk.start(client, streams.INVENTORY, patience=timedelta(0))
        await bulk.cancel(client, first)
        assert await bulk.start(client, streams.INVENTORY, pause=SOON)


async def test_answer_dropped_before_anything_was_sent_is_just_sent_again() -> None:
    calls: list[httpx.Request] = []
    store = store_that(started())

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        if len(calls) == 1:
            raise httpx.ConnectError("refused")
        return store(request)

    async with open_client(ScriptedVendor(answer).transport) as client:
        assert await bulk.start(client, streams.PRODUCTS) == OPERATION
