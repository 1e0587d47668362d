"""For tests: a queue without a database, and real workers that live as long as the test.

`FakeJobQueue` is for code that enqueues; `Fleet` runs jobs on a test's database in the test's own event loop.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import store
from syncline.runtime.jobs.job import Job, JobContext
from syncline.runtime.jobs.queue import JobQueue, tenant_for
from syncline.runtime.jobs.worker import Worker


@dataclass(frozen=True, slots=True)
class Enqueued:
    """One call of `enqueue` that made a job."""

    job_id: int
    job: str
    payload: dict[str, Any]
    tenant: TenantId | None
    priority: int
    run_at: datetime | None
    key: str | None
    lane: str


class FakeJobQueue(JobQueue):
    """The same checks and the same keys as the real one, but in memory: it cannot roll back, so it belongs where the
    code under test commits or the test does not care."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        super().__init__(jobs)
        self.waiting: list[Enqueued] = []
        self._last_id = 0

    async def enqueue(
        self,
        session: WriteSession,
        job: str,
        payload: Mapping[str, Any],
        *,
        priority: int = 0,
        run_at: datetime | None = None,
        key: str | None = None,
    ) -> int:
        tenant = tenant_for(session, payload)
        entry = store.entry(self.declared(job), tenant, payload, priority=priority, key=key)
        same = (w for w in self.waiting if key is not None and (w.job, w.tenant, w.key) == (job, tenant, key))
        found = next(same, None)
        if found is not None:
            return found.job_id
        self._last_id += 1
        made = Enqueued(self._last_id, job, dict(entry.payload), tenant, priority, run_at, key, entry.lane)
        self.waiting.append(made)
        return made.job_id

    async def cancel(self, session: WriteSession, job_ids: Sequence[int]) -> int:
        mine = [w for w in self.waiting if w.job_id in job_ids and session.tenant_id in {None, w.tenant}]
        self.waiting = [w for w in self.waiting if w not in mine]
        return len(mine)

    async def run_waiting(self, runtime: Any, *, most: int = 1000) -> int:
        """Runs what waits, and what that enqueues, in order of priority; errors rise to the test. Answers how many.
        Raises `RuntimeError` when `most` was not enough: jobs that enqueue themselves for ever."""
        for count in range(most):
            if not self.waiting:
                return count
            chosen = max(self.waiting, key=lambda w: (w.priority, -w.job_id))
            self.waiting.remove(chosen)
            context = JobContext(runtime=runtime, job_id=chosen.job_id, attempt=1, tenant=chosen.tenant)
            await self.declared(chosen.job).run(context, chosen.payload)
        raise RuntimeError(f"{most} jobs ran and {len(self.waiting)} still wait")


async def eventually(condition: Callable[[], object | Awaitable[object]], seconds: float = 30) -> float:
    """Waits until `condition()` is true, and answers how many seconds that took. `AssertionError` after `seconds`."""
    began = time.monotonic()
    while True:
        answer = condition()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise AssertionError(f"did not come true within {seconds} s")
        await asyncio.sleep(0.02)


@dataclass
class Fleet:
    """Workers for one test. `stop` ends them and raises what made one of them fail."""

    database: Database
    tenant: TenantId
    runtime: Any = None
    _running: list[tuple[asyncio.Event, asyncio.Task[None]]] = field(default_factory=list)

    def start(self, jobs: Sequence[Job], **options: Any) -> None:
        """`options` are those of `Worker`."""
        stop = asyncio.Event()
        worker = Worker(self.database, jobs, runtime=self.runtime, **options)
        self._running.append((stop, asyncio.create_task(worker.run(stop))))

    async def enqueue(
        self, job: Job, *payloads: Mapping[str, Any], tenant: TenantId | None = None, **options: Any
    ) -> list[int]:
        """One job for each payload, in one transaction. `options` are those of `JobQueue.enqueue`."""
        queue = JobQueue([job])
        async with self.database.writing(tenant or self.tenant) as session:
            return [await queue.enqueue(session, job.name, each, **options) for each in payloads]

    async def stop(self) -> None:
        for stop, _ in self._running:
            stop.set()
        await asyncio.gather(*(task for _, task in self._running))
        self._running.clear()

    async def scalar(self, query: LiteralString, *values: object) -> Any:
        """The first column of the first row of `query` on the system's tables."""
        async with self.database.system() as session:
            row = await (await (await session.driver()).execute(query, values)).fetchone()
        return row[0] if row else None
