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


_LANES = SQL("""
SELECT handler, tenant FROM (
    SELECT DISTINCT ON (handler, tenant) handler, tenant, next_at FROM bus.delivery
    WHERE handler = ANY (%s) ORDER BY handler, tenant, position
) head WHERE next_at <= now()
""")
_LOCK = SQL("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))")
_TAKE = SQL("""
SELECT delivery.event_id, outbox.name, outbox.occurred_at, outbox.data::text AS data, delivery.attempts,
       delivery.next_at <= now() AS due
FROM bus.delivery JOIN bus.outbox ON outbox.id = delivery.event_id
WHERE delivery.handler = %(handler)s AND delivery.tenant IS NOT DISTINCT FROM %(tenant)s
ORDER BY delivery.position LIMIT %(batch)s
""")
_NOTE = SQL("INSERT INTO bus.inbox (handler, event_id) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING event_id")
_DONE = SQL("DELETE FROM bus.delivery WHERE handler = %s AND event_id = %s")
_AGAIN = SQL("""
UPDATE bus.delivery SET attempts = attempts + 1, failed_at = coalesce(failed_at, clock_timestamp()),
    next_at = clock_timestamp() + %(wait)s
WHERE handler = %(handler)s AND event_id = %(event)s
""")
_BURY = SQL("""
WITH gone AS (DELETE FROM bus.delivery WHERE handler = %(handler)s AND event_id = %(event)s RETURNING *)
INSERT INTO bus.dead_letter
    (id, handler, event_id, name, tenant, occurred_at, payload, attempts, reason, first_at, last_at)
SELECT %(letter)s, gone.handler, gone.event_id, outbox.name, outbox.tenant, outbox.occurred_at, outbox.data,
    gone.attempts + 1, %(reason)s, coalesce(gone.failed_at, clock_timestamp()), clock_timestamp()
FROM gone JOIN bus.outbox ON outbox.id = gone.event_id
""")


async def due_lanes(connection: Connection, handlers: Sequence[str]) -> list[Lane]:
    """The lanes of `handlers` whose first delivery is due."""
    async with connection.cursor(row_factory=class_row(Lane)) as cursor:
        await cursor.execute(_LANES, (list(handlers),))
        return await cursor.fetchall()


async def deliver(database: Database, handler: Handler, lane: Lane, runtime: Any) -> bool:
    """The next deliveries of the lane in one transaction. True when there may be more at once; another relay that holds
    the lane, or a head that waits for its next attempt, is the end for now."""
    async with _transaction(database, lane.tenant) as session:
        connection = await session.driver()
        locked = await (await connection.execute(_LOCK, (f"bus.delivery:{lane.handler}:{lane.tenant}",))).fetchone()
        if not (locked and locked[0]):
            return False
        batch = await _take(connection, lane)
        deadline = time.monotonic() + _LONGEST_TRANSACTION_S
        for each in batch:
            if not each.due or not await _attempt(session, handler, lane, each, runtime):
                return False
            if time.monotonic() > deadline:
                return True
    return len(batch) == _BATCH


def _transaction(database: Database, tenant: TenantId | None) -> AbstractAsyncContextManager[WriteSession]:
    return database.system() if tenant is None else database.writing(tenant)


async def _take(connection: Connection, lane: Lane) -> list[Delivery]:
    async with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        await cursor.execute(_TAKE, {"handler": lane.handler, "tenant": lane.tenant, "batch": _BATCH})
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
        with correlated(each.event_id.hex):
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
    await connection.execute(_BURY, {**values, "letter": new_id(), "reason": verdict.reason})
    metrics.HANDLED.labels(handler=handler.name, outcome="dead").inc()
    log.error("event given up by a handler", reason=verdict.reason, exc_info=error, **said)
    return True
