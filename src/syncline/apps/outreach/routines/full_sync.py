"""The schedules as routines: how their last run was, and how to start one by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.connections.service import missing
from syncline.apps.outreach.delivery import repository as deliveries
from syncline.apps.outreach.delivery import service as delivery
from syncline.apps.outreach.routines.declaration import LastRun, Routine
from syncline.apps.outreach.sync.schedules import MIXPANEL_SCHEDULE, PERIODIC_SCHEDULE, begin_delta
from syncline.apps.outreach.sync_contract import SyncRefused
from syncline.apps.outreach.watching import service as watching
from syncline.apps.outreach.watching.service import MIXPANEL, PERIODIC
from syncline.kernel import clock
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session, WriteSession


def _last(job: str) -> Callable[[Session], Awaitable[LastRun | None]]:
    async def find_last(session: Session) -> LastRun | None:
        row = await watching.find_row(session, job)
        if row is None or row.last_run_at is None:
            return None
        lag = (
            await deliveries.find_lag(session)
            if job == MIXPANEL
            else clock.now() - (row.last_good_at or row.last_run_at)
        )
        return LastRun(row.last_run_at, row.last_run_at, row.sentence, lag)

    return find_last


def _enabled(job: str) -> Callable[[Session], Awaitable[bool]]:
    async def is_enabled(session: Session) -> bool:
        return await watching.is_enabled(session, job)

    return is_enabled


def _switch(job: str) -> Callable[[WriteSession, bool], Awaitable[None]]:
    async def switch(session: WriteSession, is_enabled: bool) -> None:
        await watching.set_enabled(session, job, enabled=is_enabled)

    return switch


async def _start_periodic(runtime: Runtime, actor: Actor) -> str:
    async with runtime.database.writing(actor.tenant_id) as session:
        return str((await begin_delta(session, runtime, actor)).id)


async def _start_mixpanel(runtime: Runtime, actor: Actor) -> str:
    async with runtime.database.writing(actor.tenant_id) as session:
        if await connections.find(session, "mixpanel") is None:
            raise SyncRefused(missing("mixpanel").sentence)
        return str(await runtime.queue.enqueue(session, delivery.DELIVER_JOB, {}, key="deliver"))


ROUTINES = (
    Routine(
        name=PERIODIC,
        about="Reads what happened since the last sync from lemlist and Smartlead",
        schedule=PERIODIC_SCHEDULE,
        most_lag=timedelta(hours=2, minutes=30),
        find_last=_last(PERIODIC),
        is_enabled=_enabled(PERIODIC),
        switch=_switch(PERIODIC),
        start=_start_periodic,
    ),
    Routine(
        name=MIXPANEL,
        about="Delivers what waits for Mixpanel",
        schedule=MIXPANEL_SCHEDULE,
        most_lag=timedelta(hours=1),
        find_last=_last(MIXPANEL),
        is_enabled=_enabled(MIXPANEL),
        switch=_switch(MIXPANEL),
        start=_start_mixpanel,
    ),
)
