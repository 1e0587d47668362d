from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from syncline.apps.commerce.contract import PullRun
from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.schedule_contract import Schedule, ScheduledAction
from syncline.apps.commerce.schedules import jobs
from syncline.kernel import clock
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs import JobContext
from syncline.runtime.jobs.testing import Enqueued, FakeJobQueue


@pytest.fixture
def shared_database(database: Database) -> Database:
    """A tick looks for all tenants, so each of these tests has a database of its own."""
    return database


@dataclass
class Ticking:
    """A connected store called `demo`, and time that passes when the test says so."""

    runtime: Runtime
    queue: FakeJobQueue
    commerce: LocalCommerce
    actor: Actor
    shop: Any
    clock: ExitStack = field(default_factory=ExitStack)

    async def add(self, timing: str, action: ScheduledAction = ScheduledAction.PULL, zone: str = "UTC") -> Schedule:
        return await self.commerce.add_schedule(actor=self.actor, store="demo", action=action, timing=timing, zone=zone)

    def at(self, moment: datetime) -> None:
        self.clock.close()
        self.clock.enter_context(clock.frozen(moment))

    async def after(self, **time: float) -> None:
        """Let time go by, and tick once at the end of it."""
        self.at(clock.now() + timedelta(**time))
        await self.tick()

    async def tick(self) -> None:
        """What a worker does each minute, up to the pulls and comparisons it starts: those wait in the queue."""
        await jobs.find_due(self.context(None), {})
        for one in self.take(jobs.RUN_JOB):
            await jobs.run(self.context(one.tenant), one.payload)

    def take(self, job: str) -> Sequence[Enqueued]:
        taken = [one for one in self.queue.waiting if one.job == job]
        self.queue.waiting = [one for one in self.queue.waiting if one.job != job]
        return taken

    def context(self, tenant: TenantId | None) -> JobContext:
        return JobContext(runtime=self.runtime, job_id=1, attempt=1, tenant=tenant)

    async def work(self) -> None:
        """All that waits is done."""
        await self.queue.run_waiting(self.runtime)

    async def only(self) -> Schedule:
        (found,) = await self.commerce.list_schedules(actor=self.actor)
        return found

    async def last_pull(self) -> PullRun | None:
        return (await self.commerce.overview(actor=self.actor, store="demo")).last_pull


@pytest.fixture
async def ticking(
    commerce: LocalCommerce, owner: Actor, queue: FakeJobQueue, shop: Any, connect_as: Callable[[Actor], Awaitable[Any]]
) -> AsyncIterator[Ticking]:
    await connect_as(owner)
    made = Ticking(commerce.runtime, queue, commerce, owner, shop)
    with made.clock:
        made.at(datetime.fromisoformat("2026-11-22T12:00:00+00:00"))
        yield made


@pytest.fixture
def connect_as(commerce: LocalCommerce, shop: Any) -> Callable[[Actor], Awaitable[Any]]:
    """Connects the shop as `demo` in the actor's tenant."""

    async def connect(actor: Actor) -> Any:
        return await commerce.add_store(
            actor=actor, name="demo", shop_domain=shop.domain, token="shpat_sandbox", base_url=shop.url
        )

    return connect
