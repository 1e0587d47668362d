"""Publishing: a row in the outbox, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from psycopg.sql import SQL

from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.bus.event import Event, encode, name_of
from syncline.runtime.db.session import WriteSession
from syncline.runtime.observe.correlation import correlation_id

CHANNEL = "syncline_bus"

_INSERT = SQL(
    "INSERT INTO bus.outbox (id, name, tenant, occurred_at, data, correlation) VALUES (%s, %s, %s, %s, %s::json, %s)"
)
_NOTIFY = SQL("SELECT pg_notify(%s, '')")


async def publish(session: WriteSession, event: Event) -> UUID:
    """Announces `event` for the session's tenant once the caller's transaction commits. Answers the event's id."""
    (event_id,) = await publish_many(session, [event])
    return event_id


async def publish_many(session: WriteSession, events: Iterable[Event]) -> list[UUID]:
    """The same for several, in their order and in one round trip."""
    now = clock.now()
    asked = correlation_id()
    rows = [(new_id(), name_of(type(e)), session.tenant_id, now, encode(e).decode(), asked) for e in events]
    if not rows:
        return []
    connection = await session.driver()
    async with connection.cursor() as cursor:
        await cursor.executemany(_INSERT, rows)
        await cursor.execute(_NOTIFY, (CHANNEL,))
    return [row[0] for row in rows]
