"""`/api/operations/dead-letters`: jobs and events of the caller's tenant that were given up; retrying, discarding them.

Those that belong to no tenant are the operator's: `syncline dead-letters`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

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
    discard_letters,
    get_letter,
    list_letters,
    retry_letters,
)

router = APIRouter(prefix="/api/operations/dead-letters", tags=["operations"])

_Reader = Annotated[Actor, Depends(require("operations:read"))]
_Manager = Annotated[Actor, Depends(require("operations:manage"))]
_Runtime = Annotated[Runtime, Depends(runtime_of)]

MOST = 1_000
"""Letters of one request."""


class DeadLetterSummary(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: LetterKind
    name: str = Field(description="The job's, or the event's with the handler that gave it up")
    attempts: int
    reason: str
    first_at: datetime
    last_at: datetime = Field(description="When it was given up")
    retried_at: datetime | None = Field(description="When somebody had it tried again; null while it is open")


class DeadLetter(DeadLetterSummary):
    payload: dict[str, Any]


class DeadLetterList(BaseModel):
    letters: list[DeadLetterSummary]
    pagination: Pagination


class DeadLetterSelection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ids: list[UUID] = Field(default=[], max_length=MOST)
    everything: bool = Field(default=False, description=f"All that are open, the latest {MOST:,} of them")
    kind: LetterKind | None = Field(default=None, description="With `everything`: only jobs, or only events")


class LettersRetried(BaseModel):
    retried: int


class LettersDiscarded(BaseModel):
    discarded: int


@router.get("", summary="List what was given up")
async def list_dead_letters(
    _actor: _Reader,
    session: Reading,
    page: Paging,
    kind: Annotated[LetterKind | None, Query(description="Only jobs, or only events")] = None,
    retried: Annotated[bool, Query(description="Also those that were retried")] = False,
) -> DeadLetterList:
    """The latest first."""
    found = await list_letters(session, page, kind=kind, retried=retried)
    letters = [DeadLetterSummary.model_validate(one) for one in found.items]
    return DeadLetterList(letters=letters, pagination=pagination(found))


@router.get("/{letter_id}", summary="Show a dead letter", responses=problems(LetterNotFound))
@reads_people
async def show_dead_letter(letter_id: UUID, _actor: _Reader, session: Reading) -> DeadLetter:
    """With its payload, which may name people."""
    return DeadLetter.model_validate(await get_letter(session, letter_id))


@router.post("/retry", summary="Retry dead letters", responses=problems(LetterNotFound, JobNoLongerKnown))
async def retry_many(
    body: DeadLetterSelection, _actor: _Manager, session: Writing, runtime: _Runtime
) -> LettersRetried:
    """All of them or, when one cannot be, none; those that were retried already are left alone. Mend the cause
    first."""
    return LettersRetried(retried=await retry_letters(runtime.queue, session, await _chosen(session, body)))


@router.post("/discard", summary="Discard dead letters", responses=problems(LetterNotFound))
async def discard_many(body: DeadLetterSelection, _actor: _Manager, session: Writing) -> LettersDiscarded:
    """For good: what they were to do is never done. Those that were retried are left alone."""
    return LettersDiscarded(discarded=await discard_letters(session, await _chosen(session, body)))


@router.post(
    "/{letter_id}/retry",
    summary="Retry a dead letter",
    responses=problems(LetterNotFound, LetterClosed, JobNoLongerKnown),
)
async def retry_one(letter_id: UUID, _actor: _Manager, session: Writing, runtime: _Runtime) -> LettersRetried:
    """It is tried again by the next worker, with all its attempts before it. Mend the cause first."""
    return LettersRetried(retried=await retry_letters(runtime.queue, session, [await _open(session, letter_id)]))


@router.delete("/{letter_id}", summary="Discard a dead letter", responses=problems(LetterNotFound, LetterClosed))
async def discard_one(letter_id: UUID, _actor: _Manager, session: Writing) -> LettersDiscarded:
    """For good: what it was to do is never done."""
    return LettersDiscarded(discarded=await discard_letters(session, [await _open(session, letter_id)]))


async def _open(session: Session, letter_id: UUID) -> Letter:
    letter = await get_letter(session, letter_id)
    if letter.retried_at is not None:
        raise LetterClosed(
            f"{letter_id} was retried at {letter.retried_at:%Y-%m-%d %H:%M} UTC; a failure would be a new one."
        )
    return letter


async def _chosen(session: Session, body: DeadLetterSelection) -> Sequence[Letter]:
    if bool(body.ids) == body.everything or (body.ids and body.kind):
        message = "Say which: `ids`, or `everything`, with a `kind` if only of that one."
        raise InvalidInput(message, fields=[FieldError("ids", message)])
    if body.ids:
        return [await get_letter(session, one) for one in dict.fromkeys(body.ids)]
    return (await list_letters(session, PageRequest(limit=MOST), kind=body.kind)).items
