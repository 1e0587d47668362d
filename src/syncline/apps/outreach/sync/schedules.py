"""What runs by itself: a delta sync of everything each hour, and what waits for Mixpanel every five minutes."""

from __future__ import annotations

from typing import Any, Final

import structlog

from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.delivery import repository as deliveries
from syncline.apps.outreach.delivery import service as delivery
from syncline.apps.outreach.people import service as people
from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync_contract import Platform, SyncAlreadyRunning, SyncMode, SyncRefused, SyncRequest
from syncline.apps.outreach.watching import service as watching
from syncline.apps.outreach.watching.service import MIXPANEL, PERIODIC
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import Job, JobContext, RetryPolicy, Schedule

log = structlog.get_logger(__name__)

PERIODIC_TICK: Final = "outreach.tick_periodic_sync"
MIXPANEL_TICK: Final = "outreach.tick_mixpanel_sync"
PERIODIC_JOB: Final = "outreach.start_periodic_sync"
MIXPANEL_JOB: Final = "outreach.start_mixpanel_sync"
PERIODIC_SCHEDULE: Final = Schedule(PERIODIC_TICK, "7 * * * *")
MIXPANEL_SCHEDULE: Final = Schedule(MIXPANEL_TICK, "*/5 * * * *")


async def tick_periodic(ctx: JobContext, payload: dict[str, Any]) -> None:
    """A job for each tenant that is connected to a tool."""
    del payload
    await _for_each(ctx, [one.value for one in Platform], PERIODIC_JOB)


async def tick_mixpanel(ctx: JobContext, payload: dict[str, Any]) -> None:
    """A job for each tenant that is connected to Mixpanel."""
    del payload
    await _for_each(ctx, ["mixpanel"], MIXPANEL_JOB)


async def _for_each(ctx: JobContext, platforms: list[str], job: str) -> None:
    async with ctx.runtime.database.system() as session:
        for tenant in await connections.list_tenants(session, platforms):
            await ctx.runtime.queue.enqueue(session, job, {"tenant_id": str(tenant)}, key=job)


async def start_periodic(ctx: JobContext, payload: dict[str, Any]) -> None:
    """A delta sync, unless one of the tenant's runs is still going: the next hour makes up for it."""
    del payload
    actor = Actor(ctx.tenant_id, "the hourly sync", "service", method="schedule")
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        if not await watching.is_enabled(session, PERIODIC):
            return
        try:
            async with session.begin_nested():
                await begin_delta(session, ctx.runtime, actor)
        except SyncAlreadyRunning as busy:
            log.info("hourly sync waits for another run", reason=busy.sentence)
            return


async def begin_delta(session: WriteSession, runtime: Runtime, actor: Actor) -> service.Run:
    """Of every tool that is connected. How it ends is noted when it does. Raises `SyncRefused` when none is, and
    `SyncAlreadyRunning`."""
    connected = {one.platform for one in await connections.list_all(session)}
    platforms = tuple(one for one in Platform if one.value in connected)
    if not platforms:
        raise SyncRefused("Neither lemlist nor Smartlead is connected; connect one with `syncline outreach connect`.")
    request = SyncRequest(platforms=platforms, mode=SyncMode.DELTA, batch_size=1_000, to_attio="attio" in connected)
    config = {"platforms": list(platforms), "syncMode": request.mode.value, "schedule": PERIODIC}
    run = await service.start(session, runtime, request, actor=actor, config=config)
    await watching.begin(session, PERIODIC)
    return run


async def start_mixpanel(ctx: JobContext, payload: dict[str, Any]) -> None:
    """What waits is delivered, and people are told to Attio."""
    del payload
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        if not await watching.is_enabled(session, MIXPANEL):
            return
        if await deliveries.has_waiting(session):
            await delivery.ask(session, ctx.runtime.queue)
        else:
            await watching.keep(session, MIXPANEL, sentence=None)
        await people.ask(session, ctx.runtime.queue)


JOBS = (
    Job(PERIODIC_TICK, tick_periodic, retry=RetryPolicy(max_attempts=3)),
    Job(MIXPANEL_TICK, tick_mixpanel, retry=RetryPolicy(max_attempts=3)),
    Job(PERIODIC_JOB, start_periodic, retry=RetryPolicy(max_attempts=3)),
    Job(MIXPANEL_JOB, start_mixpanel, retry=RetryPolicy(max_attempts=3)),
)
SCHEDULES = (PERIODIC_SCHEDULE, MIXPANEL_SCHEDULE)
