"""Events that a handler could not apply: looking at them and trying them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.sql import SQL

from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.bus.outbox import CHANNEL
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event one handler gave up after `attempts` attempts, between `first_at` and `last_at`."""

    id: UUID
    handler: str
    event_id: UUID
    name: str
    tenant_id: TenantId | None
    occurred_at: datetime
    payload: dict[str, Any]
    attempts: int
    reason: str
    first_at: datetime
    last_at: datetime
    replayed_at: datetime | None
    correlation: str | None


_MINE = "(%(tenant)s::uuid IS NULL OR tenant = %(tenant)s)"
_FILTER = f"""{_MINE} AND (%(handler)s::text IS NULL OR handler = %(handler)s)
    AND (%(name)s::text IS NULL OR name = %(name)s) AND (%(replayed)s OR replayed_at IS NULL)"""
_COLUMNS = """id, handler, event_id, name, tenant AS tenant_id, occurred_at, payload, attempts, reason, first_at,
    last_at, replayed_at, correlation"""
_LIST = SQL(f"""
SELECT {_COLUMNS}
FROM bus.dead_letter WHERE {_FILTER} ORDER BY last_at DESC, id DESC LIMIT %(limit)s OFFSET %(offset)s
""")  # noqa: S608 - constants
_COUNT = SQL(f"SELECT count(*) FROM bus.dead_letter WHERE {_FILTER}")  # noqa: S608 - constants
_FIND = SQL(f"SELECT {_COLUMNS} FROM bus.dead_letter WHERE id = %(id)s AND {_MINE}")  # noqa: S608 - constants
_DISCARD = SQL(f"DELETE FROM bus.dead_letter WHERE id = ANY (%(ids)s) AND replayed_at IS NULL AND {_MINE}")  # noqa: S608 - constants
# The event itself may have been forgotten since; the letter holds all of it.
_REPLAY = SQL(f"""
WITH taken AS (
    UPDATE bus.dead_letter SET replayed_at = now()
    WHERE id = ANY (%(ids)s) AND replayed_at IS NULL AND {_MINE}
    RETURNING handler, event_id, name, tenant, occurred_at, payload, correlation
), restored AS (
    INSERT INTO bus.outbox (id, name, tenant, occurred_at, data, sent_at, correlation)
    SELECT DISTINCT ON (event_id) event_id, name, tenant, occurred_at, payload, now(), correlation FROM taken
    ON CONFLICT (id) DO UPDATE SET sent_at = coalesce(outbox.sent_at, now())
    RETURNING id, position
)
INSERT INTO bus.delivery (handler, event_id, position, tenant)
SELECT taken.handler, taken.event_id, restored.position, taken.tenant
FROM taken JOIN restored ON restored.id = taken.event_id
ON CONFLICT DO NOTHING
""")  # noqa: S608 - constants


async def list_dead_letters(
    session: Session,
    page: PageRequest,
    *,
    handler: str | None = None,
    name: str | None = None,
    replayed: bool = False,
) -> Page[DeadLetter]:
    """Latest first, of one handler or event if named; those already replayed only with `replayed`. A tenant's session
    sees the tenant's own."""
    connection = await session.driver()
    values = {
        "tenant": session.tenant_id,
        "handler": handler,
        "name": name,
        "replayed": replayed,
        "limit": page.limit,
        "offset": page.offset,
    }
    async with connection.cursor(row_factory=class_row(DeadLetter)) as cursor:
        await cursor.execute(_LIST, values)
        letters = await cursor.fetchall()
    counted = await (await connection.execute(_COUNT, values)).fetchone()
    return Page(letters, int(counted[0]) if counted else 0, page.page, page.limit)


async def replay_dead_letters(session: WriteSession, ids: Sequence[UUID]) -> int:
    """Delivers each again to the handler that gave it up, with all its attempts before it. Answers how many; a letter
    is replayed once, and failing again writes a new one."""
    connection = await session.driver()
    cursor = await connection.execute(_REPLAY, {"ids": list(ids), "tenant": session.tenant_id})
    await connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
    return cursor.rowcount


async def find_dead_letter(session: Session, letter_id: UUID) -> DeadLetter | None:
    connection = await session.driver()
    async with connection.cursor(row_factory=class_row(DeadLetter)) as cursor:
        await cursor.execute(_FIND, {"id": letter_id, "tenant": session.tenant_id})
        return await cursor.fetchone()


async def discard_dead_letters(session: WriteSession, ids: Sequence[UUID]) -> int:
    """Removes those that were not replayed, for good. Answers how many."""
    connection = await session.driver()
    return (await connection.execute(_DISCARD, {"ids": list(ids), "tenant": session.tenant_id})).rowcount
