"""The bucket of points: never overdrawn by us, and waited for when somebody else has emptied it."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from syncline.connectors.shopify import queries
from syncline.connectors.shopify.sources import page_query
from syncline.connectors.shopify.testing import RecordedStore, answer, open_client, read_request, throttled
from syncline.runtime.connect.errors import NotNow, NotProcessed
from syncline.runtime.connect.testing import ScriptedVendor, answering

SMALL = "query Ids { products(first: 250, sortKey: ID) { nodes { id } pageInfo { hasNextPage } } }"
PAGE: dict[str, Any] = {"first": 250, "after": None, "query": None}


async def test_waits_for_what_is_missing_and_sends_the_same_call_again() -> None:
    vendor = ScriptedVendor(RecordedStore()).then(answering(lambda: throttled(862, 762, 200)))
    async with open_client(vendor.transport) as client:
        started = time.monotonic()
        await client.execute(queries.STORE, idempotent=True)
    assert time.monotonic() - started >= 0.5
    assert vendor.requests[0].content == vendor.requests[1].content
    assert client.limiter.stats.throttled == 1


async def test_write_that_was_throttled_is_sent_again() -> None:
    vendor = ScriptedVendor(RecordedStore()).then(answering(lambda: throttled(10, 8)))
    async with open_client(vendor.transport) as client:
        await client.execute(queries.update_product(with_seo=False), {"product": {"id": "gid://x"}}, idempotent=False)
    assert len(vendor.requests) == 2


async def test_throttling_does_not_use_up_the_tries() -> None:
    vendor = ScriptedVendor(RecordedStore()).then(*[answering(lambda: throttled(5, 5, 10_000))] * 15)
    async with open_client(vendor.transport) as client:
        await client.execute(queries.STORE, idempotent=True)
    assert len(vendor.requests) == 16


async def test_starving_is_told_instead_of_going_on_for_ever() -> None:
    vendor = ScriptedVendor(lambda _: throttled(5, 4, 100_000))
    async with open_client(vendor.transport) as client:
        with pytest.raises(NotNow, match="Other apps use up") as caught:
            await client.execute(queries.STORE, idempotent=True)
    assert caught.value.wait == timedelta(seconds=30)


async def test_deadline_ends_the_wait_for_points_and_nothing_is_sent() -> None:
    vendor = ScriptedVendor(lambda _: answer({}, available=0))
    async with open_client(vendor.transport) as client:
        await client.execute(queries.STORE, idempotent=True)
        with pytest.raises(NotProcessed, match="used up for the whole time"):
            await client.execute(page_query("products"), PAGE, idempotent=True, deadline=timedelta(seconds=0.05))
    assert len(vendor.requests) == 1


async def test_dear_first_call_looks_at_the_bucket_first() -> None:
    vendor = ScriptedVendor(RecordedStore())
    async with open_client(vendor.transport) as client:
        await client.execute(page_query("products"), PAGE, idempotent=True)
        await client.execute(page_query("products"), PAGE, idempotent=True)
    assert [read_request(r).operation for r in vendor.requests] == ["Probe", "ProductsPage", "ProductsPage"]


@pytest.mark.parametrize("left", [40, 900])
async def test_bucket_that_others_have_drunk_from_is_not_overdrawn(open_sandbox: Any, left: float) -> None:
    sandbox = await open_sandbox(plan="enterprise")
    sandbox.world.bucket.available = left
    async with sandbox.client() as client:
        await asyncio.gather(*(client.execute(page_query("products"), PAGE, idempotent=True) for _ in range(5)))
    assert sandbox.world.bucket.stats()["throttled"] == 0


async def test_many_tasks_use_the_whole_restore_rate_without_being_throttled(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(plan="standard")
    bucket = sandbox.world.bucket
    bucket.available = 20.0
    started = time.monotonic()
    async with sandbox.client() as client:

        async def work() -> None:
            while time.monotonic() < started + 3:
                await client.execute(SMALL, idempotent=True)

        await asyncio.gather(*(work() for _ in range(8)))
    restored = (time.monotonic() - started) * bucket.rate
    assert bucket.stats()["throttled"] == 0
    # How near it comes to all of it is seen without a clock in tests/runtime/connect; here the machine may be busy.
    assert bucket.stats()["charged"] / restored > 0.8
