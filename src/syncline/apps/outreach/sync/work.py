"""One worker of a run: chunk after chunk, page after page.

Rows, receipts, people and the chunk's cursor are committed together, so a worker that dies costs the pages since its
last commit; they are read again and found to be there. While one step is stored the next page is fetched already.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.outreach.events.event import EventSource
from syncline.apps.outreach.happenings.activities import Happening
from syncline.apps.outreach.happenings.storing import keyed, meet_people, stage, store
from syncline.apps.outreach.sync import repository
from syncline.apps.outreach.sync.planning import keeps
from syncline.apps.outreach.sync.reading import Place, Read, Reader, reader_of
from syncline.apps.outreach.sync.telling import RunTelling, telling_of
from syncline.apps.outreach.sync_contract import Platform, SyncRequest
from syncline.kernel.errors import Skippable
from syncline.runtime.connect.cost_limiter import CostLimiter
from syncline.runtime.connect.persist import persist
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import JobContext

_AHEAD = 1
"""Steps read while one is stored."""


class RunOver(Exception):
    """Nothing more is stored of it."""


@dataclass(slots=True)
class Step:
    """Pages that are stored in one transaction."""

    happenings: list[Happening] = field(default_factory=list)
    records: int = 0
    unusable: int = 0
    cursor: str | None = None
    expected: int | None = None

    def add(self, page: Read) -> None:
        self.happenings += page.happenings
        self.records += page.records
        self.unusable += page.unusable
        self.cursor, self.expected = page.cursor, page.expected


@dataclass(slots=True)
class RunWork:
    """`number` is the worker's within the run."""

    ctx: JobContext
    run_id: UUID
    number: int
    request: SyncRequest
    stack: AsyncExitStack
    readers: dict[Platform, Reader] = field(default_factory=dict)
    limiter: CostLimiter | None = None
    telling: RunTelling = field(init=False)

    def __post_init__(self) -> None:
        wanted = self.request.requests_per_second
        if wanted is not None:
            # The run's workers share what was asked for; the tool's own limits hold besides.
            # One more than the burst, because the limiter keeps a margin of one.
            self.limiter = CostLimiter(capacity=self.request.burst + 1, restore_rate=wanted / self.request.workers)

    commits: int = 0

    async def run(self) -> None:
        """Until no chunk is left, through troubles that pass as long as it gets on. Raises connector outcomes, and
        `RunOver`."""
        told = telling_of(self.ctx.runtime.database, self.ctx.tenant_id, self.run_id, self.request)
        self.telling = await self.stack.enter_async_context(told)
        await persist(self._read_all, mark=lambda: self.commits, what=f"sync {self.run_id}")

    async def _read_all(self) -> None:
        while True:
            async with self.ctx.runtime.database.writing(self.ctx.tenant_id) as session:
                chunk = await repository.take_chunk(session, self.run_id, self.number, prefers=self._prefers)
                await self.ctx.hold(session)
            if chunk is None:
                return
            try:
                await self._read(chunk)
            except Skippable as error:
                async with self.ctx.runtime.database.writing(self.ctx.tenant_id) as session:
                    await repository.skip_chunk(session, chunk, error.sentence)
                    await self.ctx.hold(session)
                self.telling.skipped(chunk, error.sentence)
            if self.request.delay_ms:
                await asyncio.sleep(self.request.delay_ms / 1_000)

    @property
    def _prefers(self) -> Platform | None:
        """So that not all workers wait for the limits of one tool while the other has nobody to read it. Too few for
        that take the chunks in their order, both tools in turn."""
        platforms = self.request.platforms
        return platforms[self.number % len(platforms)] if self.request.workers >= len(platforms) else None

    async def _read(self, chunk: Row[Any]) -> None:
        reader = await self._reader(Platform(chunk.platform))
        place = Place(chunk.campaign_id, chunk.campaign, chunk.since, chunk.until, chunk.cursor)
        async with aclosing(_ahead(self._steps(reader, place))) as steps:
            async for step in steps:
                chunk = await self._store(chunk, step)

    async def _reader(self, platform: Platform) -> Reader:
        if platform not in self.readers:
            opened = reader_of(self.ctx.runtime, self.ctx.tenant_id, platform)
            self.readers[platform] = await self.stack.enter_async_context(opened)
        return self.readers[platform]

    async def _steps(self, reader: Reader, place: Place) -> AsyncGenerator[Step, None]:
        step = Step()
        async with aclosing(reader.pages(place)) as pages:
            while True:
                if self.limiter is not None:
                    (await self.limiter.reserve(1)).charge()
                page = await anext(pages, None)
                if page is None:
                    return
                step.add(page)
                if page.cursor is None or step.records >= self.request.batch_size:
                    yield step
                    step = Step()

    async def _store(self, chunk: Row[Any], step: Step) -> Row[Any]:
        wanted = [one for one in step.happenings if keeps(self.request, one.at)]
        async with self.ctx.runtime.database.writing(self.ctx.tenant_id) as session:
            created = await self._put(session, chunk.namespace, wanted)
            after = await repository.record_page(
                session,
                chunk,
                cursor=step.cursor,
                expected=step.expected,
                read=len(wanted),
                created=created,
                unusable=step.unusable,
            )
            if after is None or await self.ctx.cancelled():
                raise RunOver
            await self.ctx.hold(session)
        self.commits += 1
        self.telling.stored(after)
        return after

    async def _put(self, session: WriteSession, namespace: str, happenings: list[Happening]) -> int:
        if self.request.mode.is_staged:
            await stage(session, keyed(happenings, namespace), run_id=self.run_id, namespace=namespace)
            return 0
        created = await store(
            session,
            happenings,
            namespace=namespace,
            source=EventSource.SYNC,
            to_mixpanel=self.request.to_mixpanel,
        )
        await meet_people(session, happenings, namespace=namespace, is_wanted=self.request.to_attio)
        return created


async def _ahead(steps: AsyncGenerator[Step, None]) -> AsyncGenerator[Step, None]:
    """The same steps, read by a task of its own, so that reading and storing go on at the same time."""
    waiting: asyncio.Queue[Step | None] = asyncio.Queue(_AHEAD)

    async def read() -> None:
        async with aclosing(steps):
            async for step in steps:
                await waiting.put(step)
        await waiting.put(None)

    reading = asyncio.create_task(read())
    given: asyncio.Task[Step | None] | None = None
    try:
        while True:
            given = asyncio.create_task(waiting.get())
            await asyncio.wait({given, reading}, return_when=asyncio.FIRST_COMPLETED)
            if not given.done() and reading.done() and waiting.empty():
                given.cancel()
                reading.result()
                return
            step = await given
            if step is None:
                return
            yield step
    finally:
        begun = [task for task in (reading, given) if task is not None]
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
