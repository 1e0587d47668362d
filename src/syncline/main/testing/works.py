"""A composed runtime on a test's database, and the few steps most tests take with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from syncline.apps.accounts.contract import DEFAULT_TENANT, KeyRing
from syncline.apps.commerce.contract import (
    ChangeBatch,
    ChangeQuery,
    Commerce,
    PullMode,
    PullPath,
    PullRun,
    PushRun,
    Receipt,
    Reconciliation,
    StagedChange,
    Store,
)
from syncline.kernel.errors import Unavailable
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor
from syncline.main.compose import compose
from syncline.main.schema import open_access
from syncline.main.settings import Settings, load_settings
from syncline.main.targets import APPS
from syncline.main.testing.shop import Shop
from syncline.runtime.app import Runtime
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs import Worker

R = TypeVar("R")

ALL = PageRequest(limit=100)
_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.01, 0.05


async def eventually(look: Callable[[], Awaitable[R]], is_right: Callable[[R], bool], *, seconds: float = 60) -> R:
    """Look again and again; what was seen when it was right. A database that is away for a while is waited for. Raises
    `TimeoutError` with what was seen last."""
    deadline = time.monotonic() + seconds
    seen: R | None = None
    pause = _FIRST_LOOK_SECONDS
    while time.monotonic() < deadline:
        with suppress(Unavailable):
            seen = await look()
            if is_right(seen):
                return seen
        await asyncio.sleep(pause)
        # What is waited for runs in the same loop as a rule: looking a hundred times a second would slow it by a sixth.
        pause = min(pause * 1.5, _LONGEST_LOOK_SECONDS)
    raise TimeoutError(f"after {seconds:g} s it was still {seen}")


@dataclass(slots=True)
class Works:
    """One process's worth of Syncline, and somebody who may do everything."""

    runtime: Runtime
    settings: Settings
    actor: Actor

    @property
    def commerce(self) -> Any:
        return self.runtime.contract(Commerce)

    async def connect(self, shop: Shop, name: str = "demo") -> Store:
        store: Store = await self.commerce.add_store(
            actor=self.actor, name=name, shop_domain=shop.domain, token=shop.token, base_url=shop.url
        )
        return store

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """A worker in this event loop while the block runs."""
        stop = asyncio.Event()
        worker = Worker(self.runtime.database, [job for app in APPS for job in app.jobs], runtime=self.runtime)
        task = asyncio.create_task(worker.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def start_pull(
        self,
        mode: PullMode = PullMode.INCREMENTAL,
        *,
        path: PullPath | None = None,
        streams: Sequence[str] = (),
        store: str = "demo",
    ) -> PullRun:
        run: PullRun = await self.commerce.start_pull(
            actor=self.actor, store=store, mode=mode, path=path, streams=streams
        )
        return run

    async def get_pull(self, run_id: UUID) -> PullRun:
        run: PullRun = await self.commerce.get_pull(actor=self.actor, run_id=run_id)
        return run

    async def pull_ends(self, run_id: UUID, *, seconds: float = 60) -> PullRun:
        return await eventually(lambda: self.get_pull(run_id), lambda run: run.status.is_final, seconds=seconds)

    async def pull(self, mode: PullMode = PullMode.INCREMENTAL, **more: Any) -> PullRun:
        run = await self.start_pull(mode, **more)
        async with self.working():
            return await self.pull_ends(run.id)

    async def stage(self, where: str, *edits: str, store: str = "demo") -> ChangeBatch:
        batch: ChangeBatch = await self.commerce.stage_edit(actor=self.actor, store=store, where=where, edits=edits)
        return batch

    async def approve(self, *batches: ChangeBatch) -> int:
        done = [
            await self.commerce.approve(actor=self.actor, query=ChangeQuery(batch_id=batch.id)) for batch in batches
        ]
        return sum(one.changed for one in done)

    async def stage_approved(self, where: str, *edits: str) -> ChangeBatch:
        batch = await self.stage(where, *edits)
        await self.approve(batch)
        return batch

    async def start_push(self, *, store: str = "demo", **more: Any) -> PushRun:
        run: PushRun = await self.commerce.start_push(actor=self.actor, store=store, **more)
        return run

    async def get_push(self, run_id: UUID) -> PushRun:
        run: PushRun = await self.commerce.get_push(actor=self.actor, run_id=run_id)
        return run

    async def push_ends(self, run_id: UUID, *, seconds: float = 60) -> PushRun:
        return await eventually(lambda: self.get_push(run_id), lambda run: run.status.is_final, seconds=seconds)

    async def push(self, **more: Any) -> PushRun:
        run = await self.start_push(**more)
        async with self.working():
            return await self.push_ends(run.id)

    async def reconcile(self, depth: str = "content", *, repair: bool = False) -> Reconciliation:
        found: Reconciliation = await self.commerce.reconcile(
            actor=self.actor, store="demo", depth=depth, repair=repair
        )
        return found

    async def changes(self, batch: ChangeBatch) -> list[StagedChange]:
        page = await self.commerce.list_changes(actor=self.actor, query=ChangeQuery(batch_id=batch.id), page=ALL)
        return list(page.items)

    async def receipts(self, batch: ChangeBatch) -> list[Receipt]:
        page = await self.commerce.list_receipts(actor=self.actor, batch_id=batch.id, page=ALL)
        return list(page.items)

    async def rows(self, query: LiteralString, **values: Any) -> list[Any]:
        """Straight from the tenant's tables."""
        async with self.runtime.database.reading(self.actor.tenant_id) as session:
            cursor = await (await session.driver()).execute(query, values)
            return list(await cursor.fetchall())


@asynccontextmanager
async def open_works(database: DatabaseSettings, data_dir: Path) -> AsyncIterator[Works]:
    """The parts as `serve` puts them together; settings of the apps come from the environment as always."""
    settings = load_settings(
        data_dir=data_dir,
        database_url=database.url,
        database_admin_url=database.admin_url,
        database_pool_min=0,
    )
    async with open_access(settings) as access, compose(settings, access) as runtime:
        tenant = await runtime.contract(KeyRing).find_tenant(slug=DEFAULT_TENANT)
        assert tenant is not None
        yield Works(runtime, settings, Actor(tenant_id=tenant.id, name="tester", role="owner"))
