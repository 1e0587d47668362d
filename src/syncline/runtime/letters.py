"""Dead letters of both kinds as one list: jobs that were given up, and events that a handler gave up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text

from syncline.kernel.errors import Conflict, NotFound
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.bus import dead_letters as events
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobQueue
from syncline.runtime.jobs import dead_letters as jobs


class LetterKind(StrEnum):
    JOB = "job"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Letter:
    """`name` is the job's, or the event's with the handler that gave it up. It failed for good at `last_at`, after so
    many `attempts`; `retried_at` is when somebody had it tried again."""

    id: UUID
    kind: LetterKind
    name: str
    tenant_id: TenantId | None
    attempts: int
    reason: str
    first_at: datetime
    last_at: datetime
    retried_at: datetime | None
    payload: dict[str, Any]


_BOTH = """
    SELECT * FROM (
        SELECT id, 'job' AS kind, job AS name, tenant AS tenant_id, attempts, reason, first_at, last_at,
               replayed_at AS retried_at, payload
        FROM jobs.dead_letter
        UNION ALL
        SELECT id, 'event', name || ' for ' || handler, tenant, attempts, reason, first_at, last_at,
               replayed_at, payload
        FROM bus.dead_letter
    ) AS letter
    WHERE (CAST(:tenant AS uuid) IS NULL OR tenant_id = :tenant)
      AND (CAST(:kind AS text) IS NULL OR kind = :kind) AND (:retried OR retried_at IS NULL)
"""
_LIST = text(f"{_BOTH} ORDER BY last_at DESC, id DESC LIMIT :limit OFFSET :offset")
_COUNT = text(f"SELECT count(*) FROM ({_BOTH}) AS found")  # noqa: S608 - our own words


class LetterNotFound(NotFound):
    code = "LETTER_001"
    title = "No such dead letter"


class LetterClosed(Conflict):
    code = "LETTER_003"
    title = "The dead letter was retried already"


class JobNoLongerKnown(Conflict):
    code = "LETTER_002"
    title = "The job is not known any more"


def _of_job(letter: jobs.DeadLetter) -> Letter:
    return Letter(
        id=letter.id,
        kind=LetterKind.JOB,
        name=letter.job,
        tenant_id=letter.tenant_id,
        attempts=letter.attempts,
        reason=letter.reason,
        first_at=letter.first_at,
        last_at=letter.last_at,
        retried_at=letter.replayed_at,
        payload=letter.payload,
    )


def _of_event(letter: events.DeadLetter) -> Letter:
    return Letter(
        id=letter.id,
        kind=LetterKind.EVENT,
        name=f"{letter.name} for {letter.handler}",
        tenant_id=letter.tenant_id,
        attempts=letter.attempts,
        reason=letter.reason,
        first_at=letter.first_at,
        last_at=letter.last_at,
        retried_at=letter.replayed_at,
        payload=letter.payload,
    )


async def list_letters(
    session: Session, page: PageRequest, *, kind: LetterKind | None = None, retried: bool = False
) -> Page[Letter]:
    """The latest first. A tenant's session sees the tenant's own, a system session those of every tenant."""
    values = {
        "tenant": session.tenant_id,
        "kind": kind.value if kind is not None else None,
        "retried": retried,
        "limit": page.limit,
        "offset": page.offset,
    }
    rows = (await session.execute(_LIST, values)).mappings()
    total = int((await session.execute(_COUNT, values)).scalar_one())
    letters = [Letter(**{**dict(row), "kind": LetterKind(row["kind"])}) for row in rows]
    return Page(letters, total, page.page, page.limit)


async def get_letter(session: Session, letter_id: UUID) -> Letter:
    """Raises `LetterNotFound`."""
    job = await jobs.find_dead_letter(session, letter_id)
    if job is not None:
        return _of_job(job)
    event = await events.find_dead_letter(session, letter_id)
    if event is None:
        raise LetterNotFound(f"There is no dead letter {letter_id}; `syncline dead-letters list` shows them.")
    return _of_event(event)


async def retry_letters(queue: JobQueue, session: WriteSession, letters: Sequence[Letter]) -> int:
    """Has each tried again with all its attempts before it, once. Answers how many. Raises `JobNoLongerKnown`."""
    for letter in letters:
        if letter.kind is LetterKind.JOB:
            _check_known(queue, letter)
    of_jobs, of_events = _apart(letters)
    made = await jobs.replay_dead_letters(queue, session, of_jobs)
    return len(made) + (await events.replay_dead_letters(session, of_events) if of_events else 0)


async def discard_letters(session: WriteSession, letters: Sequence[Letter]) -> int:
    """Removes them for good. Answers how many."""
    of_jobs, of_events = _apart(letters)
    return await jobs.discard_dead_letters(session, of_jobs) + await events.discard_dead_letters(session, of_events)


def _apart(letters: Sequence[Letter]) -> tuple[list[UUID], list[UUID]]:
    of_jobs = [letter.id for letter in letters if letter.kind is LetterKind.JOB]
    return of_jobs, [letter.id for letter in letters if letter.kind is LetterKind.EVENT]


def _check_known(queue: JobQueue, letter: Letter) -> None:
    try:
        queue.declared(letter.name)
    except LookupError as error:
        raise JobNoLongerKnown(
            f"{letter.name} is no job of this version, so {letter.id} cannot be retried. Discard it."
        ) from error
