"""For tests of code that publishes: what is in the outbox, as the session sees it."""

from __future__ import annotations

from psycopg.sql import SQL

from syncline.runtime.bus.event import E, decode, name_of
from syncline.runtime.db.session import Session

_READ = SQL("SELECT data::text FROM bus.outbox WHERE name = %s AND tenant IS NOT DISTINCT FROM %s ORDER BY position")


async def published(session: Session, event: type[E]) -> list[E]:
    """The events of this class that the session's tenant has published, also those of the open transaction."""
    connection = await session.driver()
    rows = await (await connection.execute(_READ, (name_of(event), session.tenant_id))).fetchall()
    return [decode(data.encode(), event) for (data,) in rows]
