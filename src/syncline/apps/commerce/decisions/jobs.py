from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog

from syncline.apps.commerce.decisions import service
from syncline.apps.commerce.staging.expiry import list_due
from syncline.kernel import clock
from syncline.runtime.jobs import Job, JobContext, RetryPolicy, Schedule

log = structlog.get_logger(__name__)

TICK_JOB = "commerce.find_due_expiries"
EXPIRE_JOB = "commerce.expire_changes"
_AT_ONCE = 1_000


async def find_due(ctx: JobContext, _: dict[str, Any]) -> None:
    """Once a minute: a job for each batch of which something is past its date. Only ids are known here; what it is, is
    looked at by the job, inside its tenant. Safe to run again: one that still waits is not doubled."""
    async with ctx.runtime.database.system() as session:
        for due in await list_due(session, clock.now(), _AT_ONCE):
            payload = {"batch_id": str(due.batch_id), "tenant_id": str(due.tenant)}
            await ctx.runtime.queue.enqueue(session, EXPIRE_JOB, payload, key=f"expire:{due.batch_id}")


async def expire(ctx: JobContext, payload: dict[str, Any]) -> None:
    """End what nobody of one batch decided in time. Safe to run again, and beside people who decide."""
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        count = await service.expire_batch(session, UUID(payload["batch_id"]))
    log.info("changes.expired", batch_id=payload["batch_id"], changes=count)


JOBS = (
    Job(name=TICK_JOB, run=find_due, retry=RetryPolicy(max_attempts=3)),
    Job(name=EXPIRE_JOB, run=expire, retry=RetryPolicy(max_attempts=10)),
)
SCHEDULES = (Schedule(TICK_JOB, "* * * * *"),)
