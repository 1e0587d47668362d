"""Enqueueing and cancelling, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import store
from syncline.runtime.jobs.job import Job

JobState = Literal["waiting", "running", "successful", "cancelled", "dead"]
_STATES: dict[str, JobState] = {
    "queued": "waiting",
    "picked": "running",
    "successful": "successful",
    "canceled": "cancelled",
    "exception": "dead",
}


@dataclass(frozen=True, slots=True)
class Depth:
    """How many jobs of one kind wait or run, and how long the oldest of them has been there."""

    job: str
    state: JobState
    count: int
    oldest: timedelta


@dataclass(frozen=True, slots=True)
class Lag:
    """How many jobs wait and run, and how long the one that has been due for longest has been due."""

    waiting: int
    running: int
    overdue: timedelta


class JobQueue:
    """Where jobs are put. `jobs` are all kinds that may be enqueued here, whether or not this process runs them."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs: dict[str, Job] = {}
        for job in jobs:
            if job.name in self._jobs:
                raise ValueError(f"two jobs are named {job.name}")
            self._jobs[job.name] = job

    def declared(self, name: str) -> Job:
        """Raises `LookupError` for a job nobody declared."""
        job = self._jobs.get(name)
        if job is None:
            raise LookupError(f"no app declares a job named {name}")
        return job

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
        """Adds a job that exists once the caller's transaction commits. Answers its id.

        The payload is small, ids rather than objects, and gets the session's tenant as `tenant_id`; a system session
        may name one itself. Higher `priority` runs first. While a job of this kind, tenant and `key` waits, its id is
        answered and no second one is made; one that already runs does not count, since it may have looked before the
        caller's change. Raises `LookupError` for a job nobody declared.
        """
        declared, tenant = self.declared(job), tenant_for(session, payload)
        wait = max(run_at - clock.now(), timedelta(0)) if run_at else timedelta(0)
        entry = store.entry(declared, tenant, payload, priority=priority, wait=wait, key=key)
        return await store.enqueue(await session.driver(), entry)

    async def cancel(self, session: WriteSession, job_ids: Sequence[int]) -> int:
        """Drops the waiting ones and tells the running ones, when the caller's transaction commits. Answers how many of
        either there were; a tenant's session reaches only the tenant's own jobs."""
        return await store.cancel(await session.driver(), job_ids, session.tenant_id)

    async def find_state(self, session: Session, job_id: int) -> JobState | None:
        """None for a job that never was, or ended longer ago than the log is kept (a week)."""
        status = await store.find_status(await session.driver(), job_id)
        return _STATES.get(status) if status else None

    async def lag(self, session: Session) -> Lag:
        """Whether workers keep up. A job that is to run later is not late."""
        waiting, running, overdue = await store.lag(await session.driver())
        return Lag(waiting, running, timedelta(seconds=overdue))

    async def depth(self, session: Session) -> list[Depth]:
        """The queue by kind of job, for metrics and for scaling workers."""
        found = await store.depth(await session.driver())
        return [Depth(job, _STATES[status], count, timedelta(seconds=age)) for job, status, count, age in found]


def tenant_for(session: WriteSession, payload: Mapping[str, Any]) -> TenantId | None:
    """The session's tenant, or the one that the payload of a system session names."""
    named = payload.get("tenant_id")
    given = TenantId(UUID(str(named))) if named else None
    if session.tenant_id is not None and given not in (None, session.tenant_id):
        raise ValueError(f"a session of tenant {session.tenant_id} may not enqueue work for tenant {given}")
    return session.tenant_id or given
