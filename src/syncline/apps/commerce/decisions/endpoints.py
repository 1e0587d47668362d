"""`/api/enhanced-sync/…`: counts, selections, notes, who is asked to decide, and until when."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field

from syncline.apps.commerce.contract import (
    BatchNotFound,
    ChangeNotReviewable,
    ChangeStatus,
    Commerce,
    NothingToDo,
    StoreNotFound,
)
from syncline.apps.commerce.contract.decisions import (
    AssigneeRefused,
    ChangeCounts,
    ChangeNote,
    CountBy,
    Selection,
    SelectionNotFound,
)
from syncline.apps.commerce.schemas import ChangeChoice, Reviewed
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

decisions = APIRouter(prefix="/api/enhanced-sync", tags=["enhanced sync"])
ROUTERS = (decisions,)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Reader = Annotated[Actor, Depends(require("changes:read"))]
Stager = Annotated[Actor, Depends(require("changes:stage"))]
Approver = Annotated[Actor, Depends(require("changes:approve"))]
_CHOSEN = (StoreNotFound, BatchNotFound, SelectionNotFound)


class SelectionCreate(ChangeChoice):
    statuses: list[ChangeStatus] = Field(default_factory=list, examples=[["pending"]])


class NoteCreate(ChangeChoice):
    text: str = Field(min_length=1, max_length=2_000, examples=["Agreed with the buyer on Monday."])


class Assignment(ChangeChoice):
    assignee: str | None = Field(
        description="The e-mail address of a member who may approve; null asks nobody in particular",
        examples=["ada@example.com"],
        max_length=320,
    )


class Expiry(ChangeChoice):
    at: AwareDatetime | None = Field(
        description="What nobody has decided by then expires; null is never", examples=["2027-01-31T18:00:00Z"]
    )


class NoteList(BaseModel):
    notes: list[ChangeNote]


@decisions.get("/change-counts", summary="Count staged changes", responses=problems(StoreNotFound))
async def count_changes(
    actor: Reader,
    commerce: Commerced,
    store: Annotated[str | None, Query(description="Only of this store")] = None,
    status: Annotated[list[ChangeStatus] | None, Query(description="May be given several times")] = None,
    by: Annotated[list[CountBy] | None, Query(description="May be given several times; status, when left out")] = None,
) -> ChangeCounts:
    """Exact, and known without looking at the changes."""
    return await commerce.count_changes(
        actor=actor, store=store, statuses=tuple(status or ()), by=tuple(by or (CountBy.STATUS,))
    )


@decisions.post("/selections", status_code=201, summary="Select staged changes", responses=problems(*_CHOSEN))
async def select_changes(body: SelectionCreate, actor: Reader, commerce: Commerced) -> Selection:
    """What matches now, kept for a day: look at it with `?selection_id=`, then decide about exactly these. What is
    staged meanwhile is not in it."""
    return await commerce.select_changes(actor=actor, query=body.query(*body.statuses))


@decisions.get("/selections/{selection_id}", summary="Show a selection", responses=problems(SelectionNotFound))
async def get_selection(selection_id: UUID, actor: Reader, commerce: Commerced) -> Selection:
    """How many changes are in it, and what has become of them."""
    return await commerce.get_selection(actor=actor, selection_id=selection_id)


@decisions.post("/change-notes", summary="Note something beside changes", responses=problems(*_CHOSEN, NothingToDo))
async def add_note(body: NoteCreate, actor: Stager, commerce: Commerced) -> Reviewed:
    """Decides nothing."""
    return Reviewed(changed=await commerce.add_note(actor=actor, query=body.query(), text=body.text))


@decisions.get(
    "/staged-changes/{change_id}/notes", summary="List the notes of a change", responses=problems(BatchNotFound)
)
async def list_notes(change_id: UUID, actor: Reader, commerce: Commerced) -> NoteList:
    """Oldest first; what its author, its approvers and everybody else said."""
    return NoteList(notes=list(await commerce.list_notes(actor=actor, change_id=change_id)))


@decisions.post(
    "/assign-changes",
    summary="Ask somebody to decide",
    responses=problems(*_CHOSEN, AssigneeRefused, ChangeNotReviewable),
)
async def assign_changes(body: Assignment, actor: Stager, commerce: Commerced) -> Reviewed:
    """Of what is pending or in conflict. Others may decide all the same; find yours by `assignee:`."""
    return Reviewed(changed=await commerce.assign(actor=actor, query=body.query(), assignee=body.assignee))


@decisions.post(
    "/expire-changes", summary="Set until when to decide", responses=problems(*_CHOSEN, ChangeNotReviewable)
)
async def expire_changes(body: Expiry, actor: Approver, commerce: Commerced) -> Reviewed:
    """Of what is pending. What nobody has decided by then can no longer be approved, and is expired within a minute."""
    return Reviewed(changed=await commerce.set_expiry(actor=actor, query=body.query(), at=body.at))
