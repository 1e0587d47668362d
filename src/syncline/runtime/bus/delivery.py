"""Deliveries of one lane, that is one handler and one tenant: taken in order, applied once, held up by a failure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL

from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.bus import metrics
from syncline.runtime.bus.event import decode
from syncline.runtime.bus.handler import Handler, HandlerContext
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs.retry import Again, judge
from syncline.runtime.observe.correlation import correlated
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

_BATCH = 50
_MOST_DEATHS = 2
_LONGEST_TRANSACTION_S = 2.0

Connection = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Lane:
    """Deliveries that must come one after the other."""

    handler: str
    tenant: TenantId | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one handler. `attempts` are those that failed."""

    event_id: UUID
    name: str
    occurred_at: datetime
    data: str
    attempts: int
    due: bool
    starts: int
    correlation: str | None


_LANES = SQL("""
SELECT handler, tenant FROM (
    SELECT DISTINCT ON (handler, tenant) handler, tenant, next_at FROM bus.delivery
    WHERE handler = ANY (%s) ORDER BY handler, tenant, position
) head WHERE next_at <= now()
""")
_LOCK = SQL("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))")
_TAKE = SQL("""
SELECT delivery.event_id, outbox.name, outbox.occurred_at, outbox.data::text AS data, delivery.attempts,
       delivery.next_at <= now() AS due, delivery.starts, outbox.correlation
FROM bus.delivery JOIN bus.outbox ON outbox.id = delivery.event_id
WHERE delivery.handler = %(handler)s AND delivery.tenant IS NOT DISTINCT FROM %(tenant)s
ORDER BY delivery.position LIMIT %(batch)s
""")
_HEAD = SQL("""
SELECT starts, started_by, next_at <= now() AS due, started_at > clock_timestamp() - interval '2 seconds' AS is_fresh
FROM bus.delivery WHERE handler = %(handler)s AND tenant IS NOT DISTINCT FROM %(tenant)s ORDER BY position LIMIT 1
""")
# Kept before handlers are called, so that a process which ends with one has left its mark.
_BEGIN = SQL("""
UPDATE bus.delivery SET starts = CASE WHEN started_by = %(relay)s THEN starts ELSE starts + 1 END,
    started_by = %(relay)s, started_at = clock_timestamp()
WHERE handler = %(handler)s AND event_id IN (
    SELECT event_id FROM bus.delivery
    WHERE handler = %(handler)s AND tenant IS NOT DISTINCT FROM %(tenant)s ORDER BY position LIMIT %(size)s
)
""")
_LEAVE = SQL("""
UPDATE bus.delivery SET starts = greatest(starts - 1, 0), started_by = NULL, started_at = NULL
WHERE handler = %s AND event_id = ANY (%s)
""")
_NO_FLUSH = SQL("SET LOCAL synchronous_commit = off")  # a mark outlives a process, and need not outlive the server
_NOTE = SQL("INSERT INTO bus.inbox (handler, event_id) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING event_id")
_DONE = SQL("DELETE FROM bus.delivery WHERE handler = %s AND event_id = %s")
_AGAIN = SQL("""
UPDATE bus.delivery SET attempts = attempts + 1, failed_at = coalesce(failed_at, clock_timestamp()),
    next_at = clock_timestamp() + %(wait)s, starts = 0, started_by = NULL, started_at = NULL
WHERE handler = %(handler)s AND event_id = %(event)s
""")
_BURY = SQL("""
WITH gone AS (DELETE FROM bus.delivery WHERE handler = %(handler)s AND event_id = %(event)s RETURNING *)
INSERT INTO bus.dead_letter
    (id, handler, event_id, name, tenant, occurred_at, payload, attempts, reason, first_at, last_at, correlation)
SELECT %(letter)s, gone.handler, gone.event_id, outbox.name, outbox.tenant, outbox.occurred_at, outbox.data,
    %(attempts)s, %(reason)s, coalesce(gone.failed_at, clock_timestamp()), clock_timestamp(), outbox.correlation
FROM gone JOIN bus.outbox ON outbox.id = gone.event_id
""")


async def due_lanes(connection: Connection, handlers: Sequence[str]) -> list[Lane]:
    """The lanes of `handlers` whose first delivery is due."""
    async with connection.cursor(row_factory=class_row(Lane)) as cursor:
        await cursor.execute(_LANES, (list(handlers),))
        return await cursor.fetchall()


async def deliver(database: Database, handler: Handler, lane: Lane, runtime: Any, relay: UUID) -> bool:
    """The next deliveries of the lane in one transaction. True when there may be more at once; another relay that holds
    the lane, or a head that waits for its next attempt, is the end for now.

    What a relay that ended left in the middle is taken one by one, and one with which `_MOST_DEATHS` relays ended is
    given to no other."""
    size = await _begin(database, lane, relay)
    if size == 0:
        return False
    async with _transaction(database, lane.tenant) as session:
        connection = await session.driver()
        if not await _lock(connection, lane):
            return False
        batch = await _take(connection, lane, size)
        deadline = time.monotonic() + _LONGEST_TRANSACTION_S
        for done, each in enumerate(batch):
            if each.starts > _MOST_DEATHS:
                await _isolate(session, handler, each)
            elif not each.due or not await _attempt(session, handler, lane, each, runtime):
                await _leave(connection, handler, batch[done:])
                return False
            if time.monotonic() > deadline:
                await _leave(connection, handler, batch[done + 1 :])
                return True
    return len(batch) == size


async def _begin(database: Database, lane: Lane, relay: UUID) -> int:
    """Marks what is to be delivered as begun by this relay, and answers how many deliveries to take: one where another
    relay began before and ended, none where nothing is due or another is about to take the lane."""
    async with database.system() as session:
        connection = await session.driver()
        if not await _lock(connection, lane):
            return 0
        values = {"handler": lane.handler, "tenant": lane.tenant, "relay": relay}
        row = await (await connection.execute(_HEAD, values)).fetchone()
        if row is None:
            return 0
        starts, started_by, is_due, is_fresh = row
        is_ours = started_by in {None, relay}
        if not is_due or (is_fresh and not is_ours):
            return 0
        size = _BATCH if starts <= int(started_by == relay) else 1
        await connection.execute(_NO_FLUSH)
        await connection.execute(_BEGIN, {**values, "size": size})
    return size


async def _leave(connection: Connection, handler: Handler, rest: Sequence[Delivery]) -> None:
    """These were begun, and are left for later."""
    if rest:
        await connection.execute(_LEAVE, (handler.name, [each.event_id for each in rest]))


async def _lock(connection: Connection, lane: Lane) -> bool:
    """False while another relay holds the lane."""
    row = await (await connection.execute(_LOCK, (f"bus.delivery:{lane.handler}:{lane.tenant}",))).fetchone()
    return bool(row and row[0])


def _transaction(database: Database, tenant: TenantId | None) -> AbstractAsyncContextManager[WriteSession]:
    return database.system() if tenant is None else database.writing(tenant)


async def _take(connection: Connection, lane: Lane, size: int) -> list[Delivery]:
    async with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        await cursor.execute(_TAKE, {"handler": lane.handler, "tenant": lane.tenant, "batch": size})
        return await cursor.fetchall()


async def _attempt(session: WriteSession, handler: Handler, lane: Lane, each: Delivery, runtime: Any) -> bool:
    """True when the lane may go on: the event was applied, had been before, or was given up."""
    attempt = each.attempts + 1
    context = HandlerContext(runtime, session, each.event_id, lane.tenant, each.occurred_at, attempt)
    try:
        # The savepoint undoes what a failing handler did, and keeps the batch before it.
        async with session.begin_nested():
            applied = await _apply(context, handler, each)
    except Exception as error:  # noqa: BLE001 - the edge of the handler: whatever it raised is judged and kept
        return await _failed(session, handler, each, error)
    metrics.HANDLED.labels(handler=handler.name, outcome="applied" if applied else "repeated").inc()
    metrics.LAG.labels(handler=handler.name).observe(max(0.0, (clock.now() - each.occurred_at).total_seconds()))
    return True


async def _apply(context: HandlerContext, handler: Handler, each: Delivery) -> bool:
    connection = await context.session.driver()
    noted = await (await connection.execute(_NOTE, (handler.name, each.event_id))).fetchone()
    if noted is not None:
        with correlated(each.correlation or each.event_id.hex):
            await handler.handle(context, decode(each.data.encode(), handler.event))
        await context.session.flush()
    await connection.execute(_DONE, (handler.name, each.event_id))
    return noted is not None


async def _failed(session: WriteSession, handler: Handler, each: Delivery, error: Exception) -> bool:
    connection = await session.driver()
    verdict = judge(error, each.attempts + 1, handler.retry)
    values = {"handler": handler.name, "event": each.event_id}
    said = {"handler": handler.name, "name": each.name, "event_id": str(each.event_id), "attempt": each.attempts + 1}
    if isinstance(verdict, Again):
        await connection.execute(_AGAIN, {**values, "wait": verdict.wait})
        metrics.HANDLED.labels(handler=handler.name, outcome="retry").inc()
        log.warning("handler failed and is called again", reason=verdict.reason, **said)
        return False
    await _bury(session, handler, each, verdict.reason, each.attempts + 1)
    log.error("event given up by a handler", reason=verdict.reason, exc_info=error, **said)
    return True


async def _isolate(session: WriteSession, handler: Handler, each: Delivery) -> None:
    reason = "killed its worker twice in a row; see what became of the process before a retry"
    await _bury(session, handler, each, reason, each.attempts + each.starts - 1)
    log.error("event given up by a handler", handler=handler.name, event_id=str(each.event_id), reason=reason)


async def _bury(session: WriteSession, handler: Handler, each: Delivery, reason: str, attempts: int) -> None:
    connection = await session.driver()
    values = {"handler": handler.name, "event": each.event_id, "attempts": attempts}
    await connection.execute(_BURY, {**values, "letter": new_id(), "reason": reason})
    metrics.HANDLED.labels(handler=handler.name, outcome="dead").inc()
