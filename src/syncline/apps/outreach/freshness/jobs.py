"""Looks every five minutes whether each tenant's outreach is fresh."""

from __future__ import annotations

from typing import Any, Final

from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.freshness import service
from syncline.apps.outreach.settings import OutreachSettings
from syncline.apps.outreach.sync_contract import Platform
from syncline.runtime.jobs import Job, JobContext, RetryPolicy, Schedule

TICK: Final = "outreach.tick_freshness"
WATCH_JOB: Final = "outreach.watch_freshness"


async def tick(ctx: JobContext, payload: dict[str, Any]) -> None:
    """A job for each tenant that is connected to anything."""
    del payload
    async with ctx.runtime.database.system() as session:
        for tenant in await connections.list_tenants(session, [*(one.value for one in Platform), "mixpanel"]):
            await ctx.runtime.queue.enqueue(session, WATCH_JOB, {"tenant_id": str(tenant)}, key=WATCH_JOB)


async def watch(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Safe to run again: what was told is noted with it."""
    del payload
    settings = ctx.runtime.settings_of("outreach", OutreachSettings)
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await service.watch(session, settings)


JOBS = (
    Job(TICK, tick, retry=RetryPolicy(max_attempts=3)),
    Job(WATCH_JOB, watch, retry=RetryPolicy(max_attempts=3)),
)
SCHEDULES = (Schedule(TICK, "*/5 * * * *"),)
