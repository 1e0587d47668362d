"""Delivering again what was delivered before: by id, by event, by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.sql import SQL

from syncline.runtime.bus.outbox import CHANNEL
from syncline.runtime.db.session import WriteSession


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events; what is given must all hold. Times are of publishing, from `since` on and before `until`."""

    ids: Sequence[UUID] | None = None
    name: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.ids is None and self.name is None and self.since is None and self.until is None:
            raise ValueError("a replay needs ids, an event name or a time: everything at once is never meant")


_CHOSEN = """
chosen AS (
    SELECT outbox.id, outbox.position, outbox.tenant, subscription.handler
    FROM bus.outbox JOIN bus.subscription ON subscription.event = outbox.name
    WHERE outbox.sent_at IS NOT NULL
      AND (%(ids)s::uuid[] IS NULL OR outbox.id = ANY (%(ids)s))
      AND (%(name)s::text IS NULL OR outbox.name = %(name)s)
      AND (%(since)s::timestamptz IS NULL OR outbox.occurred_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR outbox.occurred_at < %(until)s)
      AND (%(tenant)s::uuid IS NULL OR outbox.tenant = %(tenant)s)
      AND (%(handler)s::text IS NULL OR subscription.handler = %(handler)s)
)
"""
_REPLAY = SQL(f"""
WITH {_CHOSEN}, forgotten AS (
    DELETE FROM bus.inbox USING chosen WHERE inbox.event_id = chosen.id AND inbox.handler = chosen.handler
)
INSERT INTO bus.delivery (handler, event_id, position, tenant)
SELECT handler, id, position, tenant FROM chosen
ON CONFLICT DO NOTHING
""")  # noqa: S608 - constants


async def replay(session: WriteSession, which: EventFilter, *, handler: str | None = None) -> int:
    """Calls the handlers (or the one named) again for these events, as if they had never seen them; answers how many
    deliveries that makes. A tenant's session replays the tenant's own. Events are kept for two weeks (`relay.KEPT`)."""
    connection = await session.driver()
    values = {
        "ids": None if which.ids is None else list(which.ids),
        "name": which.name,
        "since": which.since,
        "until": which.until,
        "tenant": session.tenant_id,
        "handler": handler,
    }
    cursor = await connection.execute(_REPLAY, values)
    await connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
    return cursor.rowcount
