"""Told once when something begins to be stale, and once when it is over; looked at every five minutes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row

from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.contract import RoutineRecovered, RoutineWentStale
from syncline.apps.outreach.delivery import repository as deliveries
from syncline.apps.outreach.settings import OutreachSettings
from syncline.apps.outreach.sync_contract import Platform
from syncline.apps.outreach.watching import service as watching
from syncline.apps.outreach.watching.lag import DELIVERY, READING
from syncline.apps.outreach.watching.service import MIXPANEL, PERIODIC
from syncline.kernel import clock
from syncline.runtime.bus import publish
from syncline.runtime.db.session import WriteSession

log = structlog.get_logger(__name__)

PATIENCE = timedelta(minutes=15)
"""A delivery that fails is tried again by itself; what fails for longer needs somebody."""


async def watch(session: WriteSession, settings: OutreachSettings) -> None:
    """Looks at both jobs of the session's tenant, and publishes what changed."""
    connected = {row.platform: row.created_at for row in await connections.list_all(session)}
    reading = [connected[one.value] for one in Platform if one.value in connected]
    await _tell(session, PERIODIC, await _reading(session, min(reading), settings) if reading else None)
    await _tell(session, MIXPANEL, await _delivery(session, settings) if "mixpanel" in connected else None)


async def _reading(session: WriteSession, connected_at: datetime, settings: OutreachSettings) -> str | None:
    row = await watching.find_row(session, PERIODIC)
    if row is not None and not row.is_enabled:
        return None
    good = connected_at if row is None or row.last_good_at is None else row.last_good_at
    READING.note(session.tenant, clock.now() - good)
    return stale_reading(good, None if row is None else row.sentence, after=settings.stale_after)


async def _delivery(session: WriteSession, settings: OutreachSettings) -> str | None:
    row = await watching.find_row(session, MIXPANEL)
    if row is not None and not row.is_enabled:
        return None
    lag = await deliveries.find_lag(session)
    DELIVERY.note(session.tenant, lag)
    return stale_delivery(row, lag, alert=settings.lag_alert)


def stale_reading(good: datetime, sentence: str | None, *, after: timedelta) -> str | None:
    """What is wrong; None when it is fresh."""
    age = clock.now() - good
    if age <= after:
        return None
    why = f" The last one said: {sentence}" if sentence else ""
    return f"No hourly sync came to a good end for {_told(age)}, since {clock.iso(good)}.{why}"


def stale_delivery(row: Row[Any] | None, lag: timedelta, *, alert: timedelta) -> str | None:
    """What is wrong; None when it is fresh."""
    sentence = None if row is None else row.sentence
    why = f" Mixpanel or the way to it said: {sentence}" if sentence else ""
    if lag > alert:
        return f"An event has waited for Mixpanel for {_told(lag)}.{why}"
    if row is None or sentence is None:
        return None
    failing = clock.now() - (row.last_good_at or row.last_run_at)
    return f"Nothing could be delivered for {_told(failing)}.{why}" if failing > PATIENCE else None


async def _tell(session: WriteSession, job: str, trouble: str | None) -> None:
    if trouble is None:
        if await watching.calm(session, job):
            await publish(session, RoutineRecovered(name=job))
        return
    if await watching.alert(session, job):
        log.error("outreach is stale", tenant_id=str(session.tenant), job=job, reason=trouble)
        await publish(session, RoutineWentStale(name=job, sentence=trouble))


def _told(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    return f"{minutes} minutes" if minutes < 180 else f"{minutes // 60} hours"
