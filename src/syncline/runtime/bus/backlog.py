"""How far delivery is behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from psycopg.sql import SQL

from syncline.runtime.db.session import Session

_BACKLOG = SQL("""
SELECT (SELECT count(*) FROM bus.outbox WHERE sent_at IS NULL),
       (SELECT count(*) FROM bus.delivery),
       extract(epoch FROM clock_timestamp() - least(
           (SELECT occurred_at FROM bus.outbox WHERE sent_at IS NULL ORDER BY position LIMIT 1),
           (SELECT min(outbox.occurred_at) FROM bus.delivery JOIN bus.outbox ON outbox.id = delivery.event_id)
       ))::float
""")


@dataclass(frozen=True, slots=True)
class Backlog:
    """`unsent` events are not handed out yet, `undelivered` ones not yet applied by a handler; `oldest` is the age of
    the oldest of either."""

    unsent: int
    undelivered: int
    oldest: timedelta


async def find_backlog(session: Session) -> Backlog:
    """Of all tenants."""
    row = await (await (await session.driver()).execute(_BACKLOG)).fetchone()
    assert row is not None
    return Backlog(row[0], row[1], timedelta(seconds=max(0.0, row[2] or 0.0)))
