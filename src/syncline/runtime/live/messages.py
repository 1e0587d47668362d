"""Every query on the messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import dict_row
from psycopg.sql import SQL

from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.live.message import Level, Message, MessageType

KEPT = timedelta(days=14)
MOST_KEPT = 100_000
"""Of one tenant; older ones go first."""

_ADD = SQL("""
INSERT INTO live.message (tenant_id, id, room, store, type, part, level, at, data)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb)
""")
_COLUMNS = "number, room, store, type, part, level, at, data"
_LAST = SQL("SELECT number FROM live.counter WHERE tenant_id = %(tenant)s")
_OLDEST = SQL("SELECT min(number) FROM live.message WHERE tenant_id = %(tenant)s")
_AFTER = SQL(f"""
SELECT {_COLUMNS} FROM live.message WHERE tenant_id = %(tenant)s AND number > %(after)s ORDER BY number LIMIT %(limit)s
""")  # noqa: S608 - constants
_LATEST = SQL(f"""
SELECT {_COLUMNS} FROM live.message WHERE tenant_id = %(tenant)s AND number IS NOT NULL
ORDER BY number DESC LIMIT %(limit)s
""")  # noqa: S608 - constants
_HEARD = """
(%(everything)s OR room = ANY (%(rooms)s) OR store = ANY (%(stores)s))
"""
_BETWEEN = SQL(f"""
SELECT {_COLUMNS} FROM live.message
WHERE tenant_id = %(tenant)s AND number > %(after)s AND number <= %(upto)s AND {_HEARD}
ORDER BY number LIMIT %(limit)s
""")  # noqa: S608 - constants
_STATES = SQL(f"""
SELECT DISTINCT ON (type, part) {_COLUMNS} FROM live.message
WHERE tenant_id = %(tenant)s AND room = %(room)s AND number <= %(upto)s AND type <> 'operation_log'
ORDER BY type, part, number DESC
""")  # noqa: S608 - constants
_LINES_FILTER = """
tenant_id = %(tenant)s AND number IS NOT NULL AND type = 'operation_log'
  AND (%(room)s::text IS NULL OR room = %(room)s)
  AND (%(store)s::text IS NULL OR store = %(store)s)
  AND level = ANY (%(levels)s)
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
"""
_LINES = SQL(f"""
SELECT {_COLUMNS} FROM live.message WHERE {_LINES_FILTER} ORDER BY number DESC LIMIT %(limit)s OFFSET %(offset)s
""")  # noqa: S608 - constants
_COUNT_LINES = SQL(f"SELECT count(*) FROM live.message WHERE {_LINES_FILTER}")  # noqa: S608 - constants
_FORGET = SQL("""
DELETE FROM live.message WHERE tenant_id = %(tenant)s
  AND (at < %(before)s OR number <= (SELECT number FROM live.counter WHERE tenant_id = %(tenant)s) - %(most)s)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineQuery:
    """Which log lines; what is given must all hold. `level` is the least."""

    room: str | None = None
    store: str | None = None
    level: Level = Level.INFO
    since: datetime | None = None
    until: datetime | None = None

    def values(self) -> dict[str, Any]:
        order = list(Level)
        return {
            "room": self.room,
            "store": self.store,
            "levels": [level.value for level in order[order.index(self.level) :]],
            "since": self.since,
            "until": self.until,
        }


async def add(
    session: WriteSession,
    *,
    room: str,
    store: str | None,
    kind: MessageType,
    part: str,
    level: Level,
    data: Mapping[str, Any],
) -> None:
    row = (session.tenant, new_id(), room, store, kind.value, part, level.value, clock.now(), json.dumps(data))
    await (await session.driver()).execute(_ADD, row)


async def last_number(session: Session) -> int:
    """Of the tenant's newest message; 0 when there was none yet."""
    row = await (await (await session.driver()).execute(_LAST, {"tenant": session.tenant})).fetchone()
    return int(row[0]) if row else 0


async def oldest_number(session: Session) -> int | None:
    """Of those that are still kept."""
    row = await (await (await session.driver()).execute(_OLDEST, {"tenant": session.tenant})).fetchone()
    return int(row[0]) if row and row[0] is not None else None


async def list_after(session: Session, after: int, limit: int) -> list[Message]:
    """In the order of their numbers."""
    return await _read(session, _AFTER, {"after": after, "limit": limit})


async def list_latest(session: Session, limit: int) -> list[Message]:
    """The newest, in the order of their numbers."""
    return (await _read(session, _LATEST, {"limit": limit}))[::-1]


async def list_heard(session: Session, rooms: Sequence[str], *, after: int, upto: int, limit: int) -> list[Message]:
    """Those that were to be heard in any of `rooms`."""
    stores = [room.partition(":")[2] for room in rooms if room.startswith("store:")]
    values = {
        "everything": "tenant" in rooms,
        "rooms": list(rooms),
        "stores": stores,
        "after": after,
        "upto": upto,
        "limit": limit,
    }
    return await _read(session, _BETWEEN, values)


async def list_states(session: Session, room: str, upto: int) -> list[Message]:
    """How an operation stood at `upto`: the latest of each type and part."""
    found = await _read(session, _STATES, {"room": room, "upto": upto})
    return sorted(found, key=lambda message: message.number)


async def list_lines(session: Session, query: LineQuery, page: PageRequest) -> Page[Message]:
    """Log lines, the latest first."""
    values = query.values()
    found = await _read(session, _LINES, {**values, "limit": page.limit, "offset": page.offset})
    counted = await (await session.driver()).execute(_COUNT_LINES, {"tenant": session.tenant, **values})
    row = await counted.fetchone()
    return Page(found, int(row[0]) if row else 0, page.page, page.limit)


async def forget(session: WriteSession, *, kept: timedelta = KEPT, most: int = MOST_KEPT) -> int:
    """What is older, or beyond so many. Answers how many went."""
    values = {"tenant": session.tenant, "before": clock.now() - kept, "most": most}
    return (await (await session.driver()).execute(_FORGET, values)).rowcount


async def _read(session: Session, query: SQL, values: Mapping[str, Any]) -> list[Message]:
    tenant: TenantId = session.tenant
    connection = await session.driver()
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, {"tenant": tenant, **values})
        return [_message(row) for row in await cursor.fetchall()]


def _message(row: Mapping[str, Any]) -> Message:
    return Message(**{**row, "type": MessageType(row["type"]), "level": Level(row["level"])})
