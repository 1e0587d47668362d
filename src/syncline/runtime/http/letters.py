"""`/api/operations/dead-letters`: jobs, events and webhooks of the caller's tenant that failed for good; retrying and
discarding them.

Those that belong to no tenant are the operator's: `syncline dead-letters`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session
from syncline.runtime.http.audit import reads_people
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Paging, Reading, Writing, pagination, runtime_of
from syncline.runtime.http.problems import problems
from syncline.runtime.http.schemas import Pagination
from syncline.runtime.letters import (
    JobNoLongerKnown,
    Letter,
    LetterClosed,
    LetterKind,
    LetterNotFound,
    LetterQuery,
    Letters,
)

router = APIRouter(prefix="/api/operations/dead-letters", tags=["operations"])

_Reader = Annotated[Actor, Depends(require("operations:read"))]
_Manager = Annotated[Actor, Depends(require("operations:manage"))]
_Part = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Runtime = Annotated[Runtime, Depends(runtime_of)]

MOST = 1_000
"""Letters of one request."""


class DeadLetterSummary(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: LetterKind
    name: str = Field(description="The job's, the event's with the handler that gave it up, or the webhook's topic")
    attempts: int
    reason: str
    first_at: datetime
    last_at: datetime = Field(description="When it was given up")
    retried_at: datetime | None = Field(description="When somebody had it tried again; null while it is open")
    correlation_id: str | None = Field(description="The request it goes back to, where there was one")


class DeadLetter(DeadLetterSummary):
    payload: dict[str, Any]


class DeadLetterList(BaseModel):
    letters: list[DeadLetterSummary]
    pagination: Pagination


class DeadLetterSelection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ids: list[UUID] = Field(default=[], max_length=MOST)
    everything: bool = Field(
        default=False, description=f"All that are open and that the fields below name, the latest {MOST:,} of them"
    )
    kind: LetterKind | None = Field(default=None, description="Only jobs, only events, or only webhooks")
    name: _Part | None = Field(default=None, description="Part of the name")
    reason: _Part | None = Field(default=None, description="Part of the reason")
    since: AwareDatetime | None = Field(default=None, description="Given up at this moment or later")
    until: AwareDatetime | None = Field(default=None, description="Given up before this moment")

    @property
    def query(self) -> LetterQuery:
        return LetterQuery(kind=self.kind, name=self.name, reason=self.reason, since=self.since, until=self.until)


class LettersRetried(BaseModel):
    retried: int


class LettersDiscarded(BaseModel):
    discarded: int


@router.get("", summary="List what was given up")
async def list_dead_letters(
    _actor: _Reader,
    session: Reading,
    runtime: _Runtime,
    page: Paging,
    kind: Annotated[LetterKind | None, Query(description="Only jobs, only events, or only webhooks")] = None,
    name: Annotated[_Part | None, Query(description="Part of the name, whatever its capitals")] = None,
    reason: Annotated[_Part | None, Query(description="Part of the reason, whatever its capitals")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Given up at this moment or later")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Given up before this moment")] = None,
    retried: Annotated[bool, Query(description="Also those that were retried")] = False,
) -> DeadLetterList:
    """The latest first."""
    query = LetterQuery(kind=kind, name=name, reason=reason, since=since, until=until, retried=retried)
    found = await runtime.letters.list(session, page, query)
    letters = [DeadLetterSummary.model_validate(one) for one in found.items]
    return DeadLetterList(letters=letters, pagination=pagination(found))


@router.get("/{letter_id}", summary="Show a dead letter", responses=problems(LetterNotFound))
@reads_people
async def show_dead_letter(letter_id: UUID, _actor: _Reader, session: Reading, runtime: _Runtime) -> DeadLetter:
    """With its payload, which may name people."""
    return DeadLetter.model_validate(await runtime.letters.get(session, letter_id))


@router.post("/retry", summary="Retry dead letters", responses=problems(LetterNotFound, JobNoLongerKnown))
async def retry_many(
    body: DeadLetterSelection, _actor: _Manager, session: Writing, runtime: _Runtime
) -> LettersRetried:
    """All of them or, when one cannot be, none; those that were retried already are left alone. Mend the cause
    first."""
    chosen = await _chosen(runtime.letters, session, body)
    return LettersRetried(retried=await runtime.letters.retry(session, chosen))


@router.post("/discard", summary="Discard dead letters", responses=problems(LetterNotFound))
async def discard_many(
    body: DeadLetterSelection, _actor: _Manager, session: Writing, runtime: _Runtime
) -> LettersDiscarded:
    """For good: what they were to do is never done. Those that were retried are left alone."""
    chosen = await _chosen(runtime.letters, session, body)
    return LettersDiscarded(discarded=await runtime.letters.discard(session, chosen))


@router.post(
    "/{letter_id}/retry",
    summary="Retry a dead letter",
    responses=problems(LetterNotFound, LetterClosed, JobNoLongerKnown),
)
async def retry_one(letter_id: UUID, _actor: _Manager, session: Writing, runtime: _Runtime) -> LettersRetried:
    """It is tried again by the next worker, with all its attempts before it. Mend the cause first."""
    chosen = [await _open(runtime.letters, session, letter_id)]
    return LettersRetried(retried=await runtime.letters.retry(session, chosen))


@router.delete("/{letter_id}", summary="Discard a dead letter", responses=problems(LetterNotFound, LetterClosed))
async def discard_one(letter_id: UUID, _actor: _Manager, session: Writing, runtime: _Runtime) -> LettersDiscarded:
    """For good: what it was to do is never done."""
    chosen = [await _open(runtime.letters, session, letter_id)]
    return LettersDiscarded(discarded=await runtime.letters.discard(session, chosen))


async def _open(letters: Letters, session: Session, letter_id: UUID) -> Letter:
    letter = await letters.get(session, letter_id)
    if letter.retried_at is not None:
        raise LetterClosed(
            f"{letter_id} was retried at {letter.retried_at:%Y-%m-%d %H:%M} UTC; a failure would be a new one."
        )
    return letter


async def _chosen(letters: Letters, session: Session, body: DeadLetterSelection) -> Sequence[Letter]:
    if bool(body.ids) == body.everything or (body.ids and body.query != LetterQuery()):
        message = "Say which: `ids`, or `everything`, with `kind`, `name`, `reason`, `since`, `until` to narrow it."
        raise InvalidInput(message, fields=[FieldError("ids", message)])
    if body.ids:
        return [await letters.get(session, one) for one in dict.fromkeys(body.ids)]
    return (await letters.list(session, PageRequest(limit=MOST), body.query)).items
