from __future__ import annotations

from typing import Any

from syncline.apps.accounts.privacy.exports.service import expire
from syncline.apps.accounts.privacy.retention import service
from syncline.apps.accounts.repository import list_tenant_ids
from syncline.kernel.tenant import Actor
from syncline.runtime.jobs import Job, JobContext, Schedule

NIGHTLY_JOB = "accounts.start_retention"
APPLY_JOB = "accounts.apply_retention"
HOURLY_JOB = "accounts.start_expiry"
EXPIRE_JOB = "accounts.expire_exports"


async def start_retention(ctx: JobContext, _: dict[str, Any]) -> None:
    """Each night, a job for each tenant; one that still waits is not doubled."""
    await _for_each_tenant(ctx, APPLY_JOB)


async def start_expiry(ctx: JobContext, _: dict[str, Any]) -> None:
    """Each hour, a job for each tenant."""
    await _for_each_tenant(ctx, EXPIRE_JOB)


async def _for_each_tenant(ctx: JobContext, job: str) -> None:
    async with ctx.runtime.database.system() as session:
        for tenant_id in await list_tenant_ids(session):
            await ctx.runtime.queue.enqueue(session, job, {"tenant_id": str(tenant_id)}, key=job)


async def apply_retention(ctx: JobContext, _: dict[str, Any]) -> None:
    """What the rules say of one tenant. Safe to repeat: what is gone is not found again."""
    actor = Actor(ctx.tenant_id, "retention", "service", method="job")
    await service.apply(ctx.runtime.database, ctx.tenant_id, ctx.runtime.personal_data, actor=actor)


async def expire_exports(ctx: JobContext, _: dict[str, Any]) -> None:
    """Files of exports whose time is over."""
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await expire(session)


JOBS = (
    Job(NIGHTLY_JOB, start_retention),
    Job(HOURLY_JOB, start_expiry),
    Job(APPLY_JOB, apply_retention),
    Job(EXPIRE_JOB, expire_exports),
)
SCHEDULES = (Schedule(NIGHTLY_JOB, "47 2 * * *"), Schedule(HOURLY_JOB, "11 * * * *"))
