"""Jobs that were given up: looking at them and running them again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.sql import SQL

from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs.queue import JobQueue
from syncline.runtime.observe.correlation import correlated


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that was given up. It was enqueued at `first_at`, and the last of its attempts failed at `last_at`."""

    id: UUID
    job_id: int
    job: str
    tenant_id: TenantId | None
    payload: dict[str, Any]
    priority: int
    attempts: int
    reason: str
    first_at: datetime
    last_at: datetime
    replayed_at: datetime | None
    correlation: str | None


_MINE = "(%(tenant)s::uuid IS NULL OR tenant = %(tenant)s)"
_FILTER = f"{_MINE} AND (%(job)s::text IS NULL OR job = %(job)s) AND (%(replayed)s OR replayed_at IS NULL)"
_COLUMNS = """id, job_id, job, tenant AS tenant_id, payload, priority, attempts, reason, first_at, last_at,
    replayed_at, correlation"""
_LIST = SQL(
    f"SELECT {_COLUMNS} FROM jobs.dead_letter WHERE {_FILTER} ORDER BY last_at DESC, id DESC"  # noqa: S608 - constants
    " LIMIT %(limit)s OFFSET %(offset)s"
)
_COUNT = SQL(f"SELECT count(*) FROM jobs.dead_letter WHERE {_FILTER}")  # noqa: S608 - constants
_TAKE = SQL(
    f"UPDATE jobs.dead_letter SET replayed_at = now()"  # noqa: S608 - constants
    f" WHERE id = ANY (%(ids)s) AND replayed_at IS NULL AND {_MINE} RETURNING {_COLUMNS}"
)

_FIND = SQL(f"SELECT {_COLUMNS} FROM jobs.dead_letter WHERE id = %(id)s AND {_MINE}")  # noqa: S608 - constants
_DISCARD = SQL(f"DELETE FROM jobs.dead_letter WHERE id = ANY (%(ids)s) AND replayed_at IS NULL AND {_MINE}")  # noqa: S608 - constants


async def list_dead_letters(
    session: Session, page: PageRequest, *, job: str | None = None, replayed: bool = False
) -> Page[DeadLetter]:
    """Latest first; those already replayed only with `replayed`. A tenant's session sees the tenant's own."""
    connection = await session.driver()
    values = {
        "tenant": session.tenant_id,
        "job": job,
        "replayed": replayed,
        "limit": page.limit,
        "offset": page.offset,
    }
    async with connection.cursor(row_factory=class_row(DeadLetter)) as cursor:
        await cursor.execute(_LIST, values)
        letters = await cursor.fetchall()
    counted = await (await connection.execute(_COUNT, values)).fetchone()
    return Page(letters, int(counted[0]) if counted else 0, page.page, page.limit)


async def replay_dead_letters(queue: JobQueue, session: WriteSession, ids: Sequence[UUID]) -> list[int]:
    """Enqueues each again with all its attempts before it. Answers the new jobs' ids; a letter is replayed once, and
    the job it becomes writes a new letter if it fails again."""
    connection = await session.driver()
    async with connection.cursor(row_factory=class_row(DeadLetter)) as cursor:
        await cursor.execute(_TAKE, {"ids": list(ids), "tenant": session.tenant_id})
        letters = await cursor.fetchall()
    return [await _enqueue(queue, session, each) for each in letters]


async def _enqueue(queue: JobQueue, session: WriteSession, letter: DeadLetter) -> int:
    """As what it was: the request it goes back to is still the one that made it."""
    with correlated(letter.correlation) if letter.correlation else nullcontext():
        return await queue.enqueue(session, letter.job, letter.payload, priority=letter.priority)


async def find_dead_letter(session: Session, letter_id: UUID) -> DeadLetter | None:
    connection = await session.driver()
    async with connection.cursor(row_factory=class_row(DeadLetter)) as cursor:
        await cursor.execute(_FIND, {"id": letter_id, "tenant": session.tenant_id})
        return await cursor.fetchone()


async def discard_dead_letters(session: WriteSession, ids: Sequence[UUID]) -> int:
    """Removes those that were not replayed, for good. Answers how many."""
    connection = await session.driver()
    return (await connection.execute(_DISCARD, {"ids": list(ids), "tenant": session.tenant_id})).rowcount
