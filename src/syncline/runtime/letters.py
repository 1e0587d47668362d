"""Dead letters of all kinds as one list: jobs that were given up, events that a handler gave up, and whatever an app
keeps of its own that failed for good, such as webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any, Protocol
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
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Letter:
    """`name` is the job's, the event's with the handler that gave it up, or the webhook's topic. It was first tried or
    enqueued at `first_at` and failed for good at `last_at`, after so many `attempts`; `retried_at` is when somebody had
    it tried again, `correlation_id` the request it goes back to."""

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
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterQuery:
    """Which letters. `name` and `reason` are part of the letter's, whatever their capitals; `since` and `until`, which
    is not included, are about `last_at`. `tenant` narrows a session of the system, and no other. Those that were
    retried only with `retried`."""

    kind: LetterKind | None = None
    name: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    tenant: TenantId | None = None
    retried: bool = False


class LetterSource(Protocol):
    """Where an app keeps letters of a kind of its own: a state of its rows, not a copy of them.

    A tenant's session is answered with the tenant's letters, a session of the system with those of every tenant (or of
    `query.tenant`). What `retry` and `discard` do belongs to the given session's transaction where that is a tenant's.
    """

    @property
    def kind(self) -> LetterKind: ...

    async def list(self, session: Session, query: LetterQuery, limit: int) -> Sequence[Letter]:
        """At most `limit` of them, those that failed last first. `query.kind` has been looked at already."""
        ...

    async def count(self, session: Session, query: LetterQuery) -> int: ...

    async def find(self, session: Session, letter_id: UUID) -> Letter | None: ...

    async def retry(self, session: WriteSession, ids: Sequence[UUID]) -> int:
        """Has each that is open tried again, with all its attempts before it. Answers how many."""
        ...

    async def discard(self, session: WriteSession, ids: Sequence[UUID]) -> int:
        """What each that is open was to do is never done. Answers how many."""
        ...


_FOUND = """
    SELECT * FROM (
        SELECT id, 'job' AS kind, job AS name, tenant AS tenant_id, attempts, reason, first_at, last_at,
               replayed_at AS retried_at, payload, correlation AS correlation_id
        FROM jobs.dead_letter
        UNION ALL
        SELECT id, 'event', name || ' for ' || handler, tenant, attempts, reason, first_at, last_at,
               replayed_at, payload, correlation
        FROM bus.dead_letter
    ) AS letter
    WHERE (CAST(:tenant AS uuid) IS NULL OR tenant_id = :tenant)
      AND (CAST(:kind AS text) IS NULL OR kind = :kind) AND (:retried OR retried_at IS NULL)
      AND (CAST(:name AS text) IS NULL OR strpos(lower(name), lower(:name)) > 0)
      AND (CAST(:reason AS text) IS NULL OR strpos(lower(reason), lower(:reason)) > 0)
      AND (CAST(:since AS timestamptz) IS NULL OR last_at >= :since)
      AND (CAST(:until AS timestamptz) IS NULL OR last_at < :until)
"""
_LIST = text(f"{_FOUND} ORDER BY last_at DESC, id DESC LIMIT :limit")
_COUNT = text(f"SELECT kind, count(*) FROM ({_FOUND}) AS found GROUP BY kind")  # noqa: S608 - our own words


class LetterNotFound(NotFound):
    code = "LETTER_001"
    title = "No such dead letter"


class LetterClosed(Conflict):
    code = "LETTER_003"
    title = "The dead letter was retried already"


class JobNoLongerKnown(Conflict):
    code = "LETTER_002"
    title = "The job is not known any more"


class Letters:
    """All of them. A tenant's session sees and moves the tenant's own, a system session those of every tenant."""

    def __init__(self, queue: JobQueue, sources: Sequence[LetterSource] = ()) -> None:
        self._queue = queue
        self._sources = {source.kind: source for source in sources}
        if len(self._sources) < len(sources) or self._sources.keys() & {LetterKind.JOB, LetterKind.EVENT}:
            raise ValueError("two sources of dead letters of the same kind")

    async def list(self, session: Session, page: PageRequest, query: LetterQuery) -> Page[Letter]:
        """The latest first."""
        needed = page.offset + page.limit
        rows = (await session.execute(_LIST, {**_values(session, query), "limit": needed})).mappings()
        found = [Letter(**{**dict(row), "kind": LetterKind(row["kind"])}) for row in rows]
        for source in self._asked(query):
            found += await source.list(session, query, needed)
        found.sort(key=lambda letter: (letter.last_at, letter.id), reverse=True)
        total = sum((await self.tally(session, query)).values())
        return Page(found[page.offset : needed], total, page.page, page.limit)

    async def tally(self, session: Session, query: LetterQuery | None = None) -> dict[LetterKind, int]:
        """How many there are of each kind; without a query those that nobody has seen to."""
        query = query or LetterQuery()
        counted = dict.fromkeys((LetterKind.JOB, LetterKind.EVENT, *self._sources), 0)
        for kind, count in await session.execute(_COUNT, _values(session, query)):
            counted[LetterKind(kind)] = count
        for source in self._asked(query):
            counted[source.kind] = await source.count(session, query)
        return counted

    async def get(self, session: Session, letter_id: UUID) -> Letter:
        """Raises `LetterNotFound`."""
        job = await jobs.find_dead_letter(session, letter_id)
        if job is not None:
            return _of_job(job)
        event = await events.find_dead_letter(session, letter_id)
        if event is not None:
            return _of_event(event)
        for source in self._sources.values():
            letter = await source.find(session, letter_id)
            if letter is not None:
                return letter
        raise LetterNotFound(f"There is no dead letter {letter_id}; `syncline dead-letters list` shows them.")

    async def retry(self, session: WriteSession, letters: Sequence[Letter]) -> int:
        """Has each tried again with all its attempts before it, once. Answers how many. Raises `JobNoLongerKnown`."""
        for letter in letters:
            if letter.kind is LetterKind.JOB:
                self._check_known(letter)
        count = 0
        for kind, ids in _apart(letters):
            if kind is LetterKind.JOB:
                count += len(await jobs.replay_dead_letters(self._queue, session, ids))
            elif kind is LetterKind.EVENT:
                count += await events.replay_dead_letters(session, ids)
            else:
                count += await self._sources[kind].retry(session, ids)
        return count

    async def discard(self, session: WriteSession, letters: Sequence[Letter]) -> int:
        """Removes them for good. Answers how many."""
        count = 0
        for kind, ids in _apart(letters):
            if kind is LetterKind.JOB:
                count += await jobs.discard_dead_letters(session, ids)
            elif kind is LetterKind.EVENT:
                count += await events.discard_dead_letters(session, ids)
            else:
                count += await self._sources[kind].discard(session, ids)
        return count

    def _asked(self, query: LetterQuery) -> Sequence[LetterSource]:
        return [source for kind, source in self._sources.items() if query.kind in {None, kind}]

    def _check_known(self, letter: Letter) -> None:
        try:
            self._queue.declared(letter.name)
        except LookupError as error:
            raise JobNoLongerKnown(
                f"{letter.name} is no job of this version, so {letter.id} cannot be retried. Discard it."
            ) from error


def _values(session: Session, query: LetterQuery) -> dict[str, Any]:
    return {
        "tenant": session.tenant_id or query.tenant,
        "kind": query.kind.value if query.kind is not None else None,
        "retried": query.retried,
        "name": query.name,
        "reason": query.reason,
        "since": query.since,
        "until": query.until,
    }


def _apart(letters: Sequence[Letter]) -> Sequence[tuple[LetterKind, Sequence[UUID]]]:
    by_kind = sorted(letters, key=lambda letter: letter.kind)
    return [(kind, [one.id for one in group]) for kind, group in groupby(by_kind, key=lambda letter: letter.kind)]


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
        correlation_id=letter.correlation,
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
        correlation_id=letter.correlation,
    )
