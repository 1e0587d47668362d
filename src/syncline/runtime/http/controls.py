"""`/api/controls`: what is stopped, and pausing the caller's tenant. A store is paused at its own address.

Stopping the whole installation concerns every tenant, so it is done where the operator is: `syncline maintenance`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from syncline.kernel.errors import NotFound
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.trail import record
from syncline.runtime.controls import stops
from syncline.runtime.controls.stops import Mode
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, Writing
from syncline.runtime.http.problems import problems
from syncline.runtime.http.stop_gate import changes_stops

router = APIRouter(prefix="/api/controls", tags=["controls"])

_Reader = Annotated[Actor, Depends(require("stores:read"))]
_Manager = Annotated[Actor, Depends(require("controls:manage"))]


class NotPaused(NotFound):
    code = "OPS_004"
    title = "This is not paused"


class Subject(Protocol):
    """A store, as its app knows it."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...


class PauseCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=300, description="Shown to everybody who is refused")


class PauseShown(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    store_id: UUID | None = Field(description="Null: the tenant as a whole")
    reason: str
    actor: str
    since: datetime


class InstallationShown(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    mode: Mode
    reason: str
    since: datetime


class Controls(BaseModel):
    installation: InstallationShown | None = Field(description="Null while nothing is stopped for all")
    pauses: list[PauseShown]


@router.get("", summary="What is stopped")
async def show(_actor: _Reader, session: Reading) -> Controls:
    return await _controls(session)


async def _controls(session: Session) -> Controls:
    stop = await stops.installation_stop(session)
    return Controls(
        installation=None if stop is None else InstallationShown.model_validate(stop),
        pauses=[PauseShown.model_validate(one) for one in await stops.list_pauses(session)],
    )


@router.put("/pause", summary="Pause all changes of this tenant")
@changes_stops
async def pause_tenant(body: PauseCreate, actor: _Manager, session: Writing) -> PauseShown:
    """Writes are refused with 409 and the reason until it is resumed; what is under way is finished."""
    return await pause(session, actor, body.reason)


@router.delete("/pause", summary="Let this tenant go on", responses=problems(NotPaused))
@changes_stops
async def resume_tenant(actor: _Manager, session: Writing) -> Controls:
    await resume(session, actor)
    return await _controls(session)


async def pause(session: WriteSession, actor: Actor, reason: str, *, store: Subject | None = None) -> PauseShown:
    """Pauses the tenant, or a store of it, with an entry in the audit trail."""
    made = await stops.pause(session, store_id=_id(store), reason=reason, actor=actor.name)
    await record(session, actor=actor, action="controls.pause", subject=_named(store), after={"reason": made.reason})
    return PauseShown.model_validate(made)


async def resume(session: WriteSession, actor: Actor, *, store: Subject | None = None) -> None:
    """Lets the tenant, or a store of it, go on. Raises `NotPaused`."""
    if not await stops.resume(session, store_id=_id(store)):
        raise NotPaused(f"The {_named(store)} is not paused.")
    await record(session, actor=actor, action="controls.resume", subject=_named(store))


def _id(store: Subject | None) -> UUID | None:
    return None if store is None else store.id


def _named(store: Subject | None) -> str:
    return "tenant" if store is None else f"store {store.name}"
