"""Care for the tables of outreach: indexes, dead rows, statistics, the pool. Works while others do.

As the operator's role, for the application's may neither vacuum nor index. What takes too long is broken off and said.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.errors import LockNotAvailable, QueryCanceled
from psycopg.sql import SQL, Identifier

from syncline.kernel.errors import Conflict
from syncline.runtime.db.engine import Database
from syncline.runtime.db.opening import opened_whole

# Four of them stay below the time that an answer may take.
_SECONDS = 12
_LOCK = 0x43415245
_SCHEMA = "outreach"
_INDEXES = SQL("""
    SELECT c.relname, i.indisvalid FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s ORDER BY c.relname
""")
_TABLES = SQL("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename")
_DEAD = SQL("SELECT n_dead_tup FROM pg_stat_user_tables WHERE schemaname = %s AND relname = 'event_source'")


class Optimization(StrEnum):
    SYNC_INDEXES = "sync_indexes"
    BULK_OPERATIONS = "bulk_operations"
    CONNECTION_POOL = "connection_pool"
    QUERY_OPTIMIZATION = "query_optimization"


class CareUnderWay(Conflict):
    code = "DB_007"
    title = "The database is being optimised already"


@dataclass(frozen=True, slots=True)
class Done:
    """`sentence` says why it was not finished; None when it was."""

    name: Optimization
    seconds: float
    facts: dict[str, Any] = field(default_factory=dict)
    sentence: str | None = None


_Connection = psycopg.AsyncConnection[Any]


async def optimize(database: Database, wanted: Sequence[Optimization], *, recreate: bool) -> list[Done]:
    """Each once, in the given order. `recreate` builds every index anew. Raises `CareUnderWay`."""
    steps: dict[Optimization, Callable[[_Connection], Awaitable[dict[str, Any]]]] = {
        Optimization.SYNC_INDEXES: _recreate_indexes if recreate else _repair_indexes,
        Optimization.BULK_OPERATIONS: _remove_dead_rows,
        Optimization.CONNECTION_POOL: lambda _: _renew_pool(database),
        Optimization.QUERY_OPTIMIZATION: _refresh_statistics,
    }
    async with _caring(database) as connection:
        return [await _timed(name, connection, steps[name]) for name in dict.fromkeys(wanted)]


@asynccontextmanager
async def _caring(database: Database) -> AsyncIterator[_Connection]:
    """A connection of the operator, when no other one cares; whoever holds its lock lets go with the connection."""
    opening = psycopg.AsyncConnection.connect(database.operator_url, autocommit=True, application_name="syncline care")
    connection = await opened_whole(opening)
    async with connection:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
        if await cursor.fetchone() != (True,):
            raise CareUnderWay("The database is being optimised already. Wait until that is done.")
        await connection.execute(SQL("SET statement_timeout = {}").format(_SECONDS * 1000))
        await connection.execute("SET lock_timeout = '5s'")
        yield connection


async def _timed(
    name: Optimization, connection: _Connection, step: Callable[[_Connection], Awaitable[dict[str, Any]]]
) -> Done:
    began = time.perf_counter()
    facts: dict[str, Any] = {}
    sentence = None
    try:
        facts = await step(connection)
    except QueryCanceled:
        sentence = f"It took longer than {_SECONDS} s and was broken off. Do it with psql, which may take its time."
    except LockNotAvailable:
        sentence = "Somebody works on a table that it needs. Try again later."
    return Done(name, time.perf_counter() - began, facts, sentence)


async def _repair_indexes(connection: _Connection) -> dict[str, Any]:
    """What a broken build left behind is removed, and an index that is not valid is built anew."""
    found = await (await connection.execute(_INDEXES, (_SCHEMA,))).fetchall()
    broken = [name for name, is_valid in found if not is_valid]
    for name in broken:
        is_left_over = "_ccnew" in name or "_ccold" in name
        statement = "DROP INDEX CONCURRENTLY {}" if is_left_over else "REINDEX INDEX CONCURRENTLY {}"
        await connection.execute(SQL(statement).format(Identifier(_SCHEMA, name)))
    return {"indexes": len(found), "repaired": broken, "recreated": 0}


async def _recreate_indexes(connection: _Connection) -> dict[str, Any]:
    facts = await _repair_indexes(connection)
    for table in await _tables(connection):
        await connection.execute(SQL("REINDEX TABLE CONCURRENTLY {}").format(Identifier(_SCHEMA, table)))
    return {**facts, "recreated": facts["indexes"]}


async def _remove_dead_rows(connection: _Connection) -> dict[str, Any]:
    before = await (await connection.execute(_DEAD, (_SCHEMA,))).fetchone()
    await connection.execute(SQL("VACUUM (ANALYZE) {}").format(Identifier(_SCHEMA, "event_source")))
    return {"dead_rows_before": before[0] if before else 0}


async def _renew_pool(database: Database) -> dict[str, Any]:
    await database.renew_pool()
    pool = database.pool_status()
    return {"idle": pool.idle, "max": pool.limit}


async def _refresh_statistics(connection: _Connection) -> dict[str, Any]:
    tables = await _tables(connection)
    for table in tables:
        await connection.execute(SQL("ANALYZE {}").format(Identifier(_SCHEMA, table)))
    return {"tables": len(tables)}


async def _tables(connection: _Connection) -> list[str]:
    return [name for (name,) in await (await connection.execute(_TABLES, (_SCHEMA,))).fetchall()]
