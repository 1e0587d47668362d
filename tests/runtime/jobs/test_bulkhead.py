"""One tenant's slow vendor does not hold up the others, and no attempt runs for ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx

from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.connect.breaker import BreakerSettings
from syncline.runtime.connect.client import Call, HttpClient
from syncline.runtime.connect.registry import Registry
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs import Job, JobContext, RetryPolicy, list_dead_letters
from syncline.runtime.jobs.lanes import Head, behind
from syncline.runtime.jobs.testing import Fleet, eventually

PLACES = 4


def heads(*tenants: str) -> list[Head]:
    return [Head(f"trial.call@{tenant}", 0, number) for number, tenant in enumerate(tenants)]


def test_who_has_less_than_an_even_share_is_behind() -> None:
    waiting = heads("a", "b")
    assert behind(waiting, Counter(a=4), PLACES) == waiting[1:]
    assert behind(waiting, Counter(a=4, b=1), PLACES) == waiting[1:]
    assert behind(waiting, Counter(a=4, b=2), PLACES) == []


def test_a_tenant_alone_and_tenants_that_share_evenly_get_nothing_beyond() -> None:
    assert behind(heads("a"), Counter(a=4), PLACES) == []
    assert behind(heads("a", "b"), Counter(a=2, b=2), PLACES) == []


def test_among_more_tenants_than_places_each_gets_one() -> None:
    crowd = [f"t{number}" for number in range(10)]
    assert [head.job_id for head in behind(heads(*crowd), Counter({crowd[0]: 4}), PLACES)] == list(range(1, 10))


async def test_a_store_whose_vendor_hangs_leaves_the_others_their_share(
    fleet: Fleet, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    """The hanging calls are real ones, made through the connector's client, and never answered during the test."""
    hanging, done, at_once = [0], [0], [0, 0]
    let_go = asyncio.Event()

    async def vendor(request: httpx.Request) -> httpx.Response:
        if request.url.host == "slow.test":
            hanging[0] += 1
            await let_go.wait()
        return httpx.Response(200)

    registry = Registry(settings=BreakerSettings(timeout=timedelta(minutes=5)))

    async def call(_: JobContext, payload: dict[str, Any]) -> None:
        host = payload["host"]
        at_once[0] += host == "quick.test"
        at_once[1] = max(at_once)
        transport = httpx.MockTransport(vendor)
        async with HttpClient(host, breaker=registry.breaker(host), transport=transport) as http:
            await http.attempt(Call("read", f"https://{host}/", method="GET"), lambda response: response)
            await asyncio.sleep(0)
        at_once[0] -= host == "quick.test"
        done[0] += host == "quick.test"

    job = Job("trial.call", call)
    await fleet.enqueue(job, *[{"host": "slow.test"}] * 50)
    fleet.start([job], concurrency=PLACES)
    await eventually(lambda: hanging[0] == PLACES)
    await fleet.enqueue(job, *[{"host": "quick.test"}] * 200, tenant=other_tenant_id)
    await eventually(lambda: done[0] == 200)
    assert hanging[0] == PLACES
    assert at_once[1] <= PLACES // 2
    let_go.set()


async def test_an_attempt_that_takes_too_long_is_ended_and_tried_again(
    fleet: Fleet, database: Database, tenant_id: TenantId
) -> None:
    attempts: list[int] = []

    async def hang(context: JobContext, _: dict[str, Any]) -> None:
        attempts.append(context.attempt)
        await asyncio.Event().wait()

    job = Job("trial.hang", hang, retry=RetryPolicy(max_attempts=2, base=timedelta(0)))
    await fleet.enqueue(job, {})
    fleet.start([job], time_limit=timedelta(milliseconds=50))
    await eventually(lambda: fleet.scalar("SELECT count(*) = 1 FROM jobs.dead_letter"))
    async with database.reading(tenant_id) as session:
        (letter,) = (await list_dead_letters(session, PageRequest())).items
    assert attempts == [1, 2]
    assert "was not done within 0.05 seconds" in letter.reason


async def test_a_call_made_by_a_job_ends_with_the_time_of_the_job(fleet: Fleet) -> None:
    allowed: list[float] = []
    told = asyncio.Event()

    class Watching(HttpClient):
        def _allowed_seconds(self, deadline: Any) -> float:
            allowed.append(super()._allowed_seconds(deadline))
            return allowed[-1]

    async def call(_: JobContext, __: dict[str, Any]) -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200))
        async with Watching("vendor", breaker=Registry().breaker("vendor"), transport=transport) as http:
            await http.attempt(Call("read", "https://vendor.test/", method="GET"), lambda response: response)
        told.set()

    job = Job("trial.call", call)
    await fleet.enqueue(job, {})
    fleet.start([job], time_limit=timedelta(seconds=5))
    await asyncio.wait_for(told.wait(), 30)
    assert 0 < allowed[0] <= 5
