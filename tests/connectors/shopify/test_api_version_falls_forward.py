"""Shopify serves an ended version by the oldest it still supports, and tells so in a header only."""

from typing import Any

import pytest
import structlog.testing

from syncline.connectors.shopify import actions, queries, streams
from syncline.connectors.shopify.store import check_store
from syncline.connectors.shopify.testing import RecordedStore, open_client
from syncline.runtime.connect.errors import UnknownVersion
from syncline.runtime.connect.testing import ScriptedVendor


async def test_is_noticed_and_told_once() -> None:
    vendor = ScriptedVendor(RecordedStore(version="2026-01"))
    with structlog.testing.capture_logs() as logs:
        async with open_client(vendor.transport, api_version="2025-10") as client:
            for _ in range(3):
                answer = await client.execute(queries.PROBE, idempotent=True)
    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [(w["asked"], w["served"]) for w in warnings] == [("2025-10", "2026-01")]
    assert client.fell_forward
    assert (answer.served_version, client.served_version, client.version) == ("2026-01",) * 3


async def test_version_asked_for_is_served_without_a_word() -> None:
    with structlog.testing.capture_logs() as logs:
        async with open_client(ScriptedVendor(RecordedStore()).transport) as client:
            facts = await check_store(client)
    assert not client.fell_forward
    assert facts.served_version == "2026-10"
    assert [entry for entry in logs if entry["log_level"] == "warning"] == []


async def test_writes_speak_the_version_that_is_served(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(versions=("2026-04", "2026-07", "2026-10"))
    async with sandbox.client(api_version="2025-10") as client:
        await check_store(client)
        item, location = next(iter(sandbox.store.levels))
        now = sandbox.store.levels[item, location].available
        (result,) = await actions.set_inventory(client, [(item, location, now + 1, now)], idempotency_key="k")
    assert client.fell_forward
    assert result.ok


async def test_version_that_syncline_does_not_speak_is_refused_before_any_call() -> None:
    vendor = ScriptedVendor(RecordedStore())
    async with open_client(vendor.transport, api_version="2024-01") as client:
        with pytest.raises(UnknownVersion, match="use one of 2026-10, 2025-10"):
            await check_store(client)
    assert vendor.requests == []


@pytest.mark.parametrize("version", ["2025-10", "2026-10"])
async def test_both_versions_read_the_same(version: str, sandbox: Any) -> None:
    async with sandbox.client(api_version=version) as client:
        pages = [page async for page in streams.read_pages(client, streams.PRODUCTS)]
    lines = [line for page in pages for line in page.lines]
    assert len(lines) == len(sandbox.store.products) + len(sandbox.store.variants)
