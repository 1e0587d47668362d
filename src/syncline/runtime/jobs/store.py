"""The job tables and the statements on them: the only module that knows the library underneath.

PgQueuer gives the tables, the enqueue and the dequeue statement. Ours are those that end an attempt: they name the
worker and the attempt they end, so that a job taken over meanwhile is left alone (PgQueuer's own go by the job's id
only; see docs/adr/0003-job-queue.md). Every function is one statement, or says that it is more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
import psycopg
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.domain.models import Job as Row
from pgqueuer.domain.models import TracebackRecord
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel, QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter
from pgqueuer.queries import Queries
from psycopg import sql
from psycopg.rows import dict_row

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.jobs import statements
from syncline.runtime.jobs.job import Job
from syncline.runtime.jobs.lanes import Head, is_lock, lane_of
from syncline.runtime.observe.correlation import correlation_id

Connection = psycopg.AsyncConnection[Any]

CHANNEL = "syncline_jobs"
CANCEL_NOTE = "cancel"
_NEVER_STALE = timedelta(days=36500)  # stale jobs are freed by `free_dead`, which counts the attempt that died

# Every name is given: PgQueuer would else read names from the environment, even from variables called TRIGGER.
SETTINGS = DBSettings(
    prefix="",
    db_schema="jobs",
    channel=Channel(CHANNEL),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One attempt at one job. Statements that end an attempt carry it."""

    job_id: int
    worker: UUID
    attempts: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A job this worker was given. `attempts` are those before this one."""

    job_id: int
    worker: UUID
    job: str
    lane: str
    tenant: TenantId | None
    payload: dict[str, Any]
    attempts: int
    priority: int
    enqueued_at: datetime
    cancel: bool
    correlation: str | None
    deaths: int = 0
    """How many workers in a row ended with it."""

    @property
    def token(self) -> Token:
        return Token(self.job_id, self.worker, self.attempts)


@dataclass(frozen=True, slots=True)
class Entry:
    """A job to enqueue. `key`: while a job with this key waits, no second one is made."""

    job: str
    lane: str
    tenant: TenantId | None
    payload: Mapping[str, Any]
    priority: int = 0
    wait: timedelta = timedelta(0)
    key: str | None = None
    correlation: str | None = None


def entry(
    job: Job,
    tenant: TenantId | None,
    payload: Mapping[str, Any],
    *,
    priority: int = 0,
    wait: timedelta = timedelta(0),
    key: str | None = None,
) -> Entry:
    """A job of this kind: the tenant goes into the payload, the lock into the lane."""
    full = {**payload, "tenant_id": str(tenant) if tenant else None}
    lane = lane_of(job.name, tenant, job.lock(full) if job.lock else None)
    return Entry(job.name, lane, tenant, full, priority, wait, key, correlation_id())


class _CallersConnection(PsycopgDriver):
    """PgQueuer's driver without its demand for autocommit: enqueueing inside the caller's transaction is the point.
    Only `fetch` and `execute` are used; listening is done on a connection of its own (`link.py`)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


def queries(connection: Connection) -> Queries:
    """PgQueuer's own operations on our schema."""
    return Queries(
        _CallersConnection(connection),
        qbe=QueryBuilderEnvironment(SETTINGS),
        qbq=_QUEUE_BUILDER,
        qbs=QuerySchedulerBuilder(SETTINGS),
    )


_QUEUE_BUILDER = QueryQueueBuilder(SETTINGS)  # kept: it caches the dequeue statement


async def enqueue(connection: Connection, entry: Entry) -> int:
    """The id of the new job, or of the waiting one that has the same key (which keeps the higher priority)."""
    headers = {"job": entry.job, "tenant": entry.tenant.hex if entry.tenant else ""}
    if entry.key is not None:
        headers["key"] = entry.key
    if entry.correlation is not None:
        headers["correlation"] = entry.correlation
    (job_id,) = await queries(connection).enqueue(
        entry.lane,
        msgspec.json.encode(entry.payload),
        entry.priority,
        entry.wait,
        None if entry.key is None else f"{headers['tenant']}:{entry.job}:{entry.key}",
        headers,
        on_conflict="update_priority",
    )
    return job_id


async def heads(connection: Connection, apps: Sequence[str]) -> list[Head]:
    """The first due job of each lane of `apps`, without the locked lanes that have a job running."""
    rows = await _rows(connection, statements.HEADS, {"apps": list(apps)})
    return [Head(row["lane"], row["priority"], row["id"], row["waited"]) for row in rows]


async def claim(connection: Connection, worker: UUID, lane: str, count: int) -> list[Claim]:
    """Take up to `count` jobs of `lane`. Two statements when one of them had a key, which it gives back: what is
    enqueued from now on may not be seen by the run that starts, so it needs a job of its own."""
    limit = EntrypointExecutionParameter(concurrency_limit=1 if is_lock(lane) else 0)
    rows = await queries(connection).dequeue(
        batch_size=count,
        entrypoints={QueueEntrypoint(lane): limit},
        queue_manager_id=QueueManagerId(worker),
        global_concurrency_limit=None,
        heartbeat_timeout=_NEVER_STALE,
    )
    if any("key" in (row.headers or {}) for row in rows):
        await connection.execute(statements.DROP_KEYS, {"ids": [row.id for row in rows]})
    return [_claim(row, worker) for row in rows]


def _claim(row: Row, worker: UUID) -> Claim:
    headers = row.headers or {}
    tenant = cast("str", headers["tenant"])
    correlation = headers.get("correlation")
    return Claim(
        job_id=row.id,
        worker=worker,
        job=cast("str", headers["job"]),
        lane=row.entrypoint,
        tenant=TenantId(UUID(tenant)) if tenant else None,
        payload=msgspec.json.decode(row.payload or b"{}", type=dict[str, Any]),
        attempts=row.attempts,
        priority=row.priority,
        enqueued_at=row.created,
        cancel=bool(headers.get("cancel")),
        correlation=correlation if isinstance(correlation, str) else None,
        deaths=int(cast("int", headers.get("deaths", 0))),
    )


@dataclass(frozen=True, slots=True)
class Owned:
    """What the beat found of one of our jobs."""

    attempts: int
    cancel: bool


async def beat(connection: Connection, worker: UUID, ids: Sequence[int]) -> dict[int, Owned]:
    """Say that `worker` lives; answers which of `ids` are still its own. A row that is locked (see `hold`) is skipped
    and still counted: whoever would free it must wait for the same lock."""
    rows = await _rows(connection, statements.BEAT, {"worker": worker, "ids": list(ids)})
    return {row["id"]: Owned(row["attempts"], row["cancel"]) for row in rows}


async def catch_up(connection: Connection) -> bool:
    """Numbers of new jobs go on behind those there are, after a dump was put back that set them back; whether it was
    needed."""
    (row,) = await _rows(connection, statements.CATCH_UP, {})
    return row["catch_up"] is not None


async def free_dead(connection: Connection, lease: timedelta) -> list[tuple[int, str]]:
    """Put the jobs of workers that were silent for `lease` back into the queue; their attempt counts. Waits that long
    after a start of the database server too, or the first worker back would take the jobs of all others."""
    rows = await _rows(connection, statements.FREE_DEAD, {"lease": lease})
    return [(row["id"], row["job"]) for row in rows]


async def finish(connection: Connection, ended: Sequence[tuple[Token, str]]) -> set[int]:
    """End attempts with `successful` or `canceled`. Answers the ids that were still ours; the others are left alone."""
    values = {
        "ids": [token.job_id for token, _ in ended],
        "workers": [token.worker for token, _ in ended],
        "attempts": [token.attempts for token, _ in ended],
        "statuses": [status for _, status in ended],
    }
    return {row["job_id"] for row in await _rows(connection, statements.FINISH, values)}


async def put_back(
    connection: Connection, token: Token, wait: timedelta, *, counts: bool, error: Exception | None
) -> bool:
    """The job waits again for at least `wait`. `counts`: as a failed attempt. False when it was no longer ours."""
    values = {**_token(token), "wait": wait, "step": int(counts), "traceback": _traceback(token, error)}
    return bool(await _rows(connection, statements.PUT_BACK, values))


async def bury(
    connection: Connection, token: Token, reason: str, error: Exception | None, *, counts: bool = True
) -> bool:
    """Move the job to the dead letters. `counts`: this was an attempt too. False when it was no longer ours."""
    values = {
        **_token(token),
        "letter": new_id(),
        "reason": reason,
        "step": int(counts),
        "traceback": _traceback(token, error),
    }
    return bool(await _rows(connection, statements.BURY, values))


async def hold(connection: Connection, token: Token) -> bool:
    """Lock the job's row until the transaction ends, if it is still ours. Nobody can free it meanwhile. What is kept
    with it is progress: the job is no longer one that only takes workers down."""
    rows = await _rows(connection, statements.HOLD, _token(token))
    if rows and rows[0]["died"]:
        await revive(connection, [token.job_id])
    return bool(rows)


async def revive(connection: Connection, ids: Sequence[int]) -> None:
    """Their workers did not end with them after all."""
    await connection.execute(statements.REVIVED, {"ids": list(ids)})


async def lag(connection: Connection) -> tuple[int, int, float]:
    """How many jobs wait, how many run, and how many seconds the one that has been due for longest has been due."""
    (row,) = await _rows(connection, statements.LAG, {})
    return row["waiting"], row["running"], max(0.0, row["overdue"] or 0.0)


async def cancel(connection: Connection, ids: Sequence[int], tenant: TenantId | None) -> int:
    """Drop waiting jobs and tell running ones. How many of either. Three statements: the first waits for whoever is
    just claiming one of these, so that none slips through between waiting and running."""
    values = {"ids": list(ids), "tenant": tenant.hex if tenant else None}
    await connection.execute(statements.CANCEL_LOCK, values)
    (row,) = await _rows(connection, statements.CANCEL, values)
    if row["told"]:
        await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, CANCEL_NOTE))
    return int(row["dropped"] + row["told"])


async def depth(connection: Connection) -> list[tuple[str, str, int, float]]:
    """(job, `queued` or `picked`, how many, age of the oldest in seconds)."""
    rows = await _rows(connection, statements.DEPTH, {})
    return [(row["job"], row["status"], row["count"], row["age"]) for row in rows]


async def find_status(connection: Connection, job_id: int) -> str | None:
    """`queued`, `picked`, `successful`, `canceled` or `exception`; None when unknown or forgotten."""
    rows = await _rows(connection, statements.STATUS, {"id": job_id})
    return rows[0]["status"] if rows else None


async def forget(connection: Connection, older_than: timedelta, limit: int = 10_000) -> int:
    """Drop up to `limit` lines of the queue's log. It has three lines per job and PgQueuer never shortens it."""
    cursor = await connection.execute(statements.FORGET, {"age": older_than, "limit": limit})
    return cursor.rowcount


def _token(token: Token) -> dict[str, Any]:
    return {"id": token.job_id, "worker": token.worker, "attempts": token.attempts}


def _traceback(token: Token, error: Exception | None) -> str | None:
    """In the form PgQueuer's own tools read from its log."""
    if error is None:
        return None
    record = TracebackRecord.from_exception(exc=error, job_id=cast("Any", token.job_id))
    return record.model_dump_json().replace("\\u0000", "")


async def _rows(connection: Connection, statement: sql.SQL, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        return await cursor.fetchall()
