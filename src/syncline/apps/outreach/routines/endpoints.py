"""`/api/jobs`: what runs by itself, and starting it by hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from syncline.apps.outreach.contract import Outreach, RoutineNotFound
from syncline.apps.outreach.routines.schemas import (
    RoutineList,
    RoutineSwitch,
    RoutineSwitched,
    RoutineTriggered,
    as_list,
    as_one,
)
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems
from syncline.runtime.http.rate_limit import limited

router = APIRouter(prefix="/api/jobs", tags=["outreach"])

_Outreach = Annotated[Outreach, Depends(uses(Outreach))]
_Reader = Annotated[Actor, Depends(require("outreach:read"))]
_Syncer = Annotated[Actor, Depends(require("outreach:sync"))]
_Manager = Annotated[Actor, Depends(require("outreach:manage"))]


@router.get("/status", summary="How the routines are")
@limited("status")
async def list_routines(actor: _Reader, outreach: _Outreach) -> RoutineList:
    """By name: last run, next run, how far it is behind, and what is wrong."""
    return as_list(await outreach.list_routines(actor=actor))


@router.post("/trigger/{name}", status_code=202, summary="Run a routine now", responses=problems(RoutineNotFound))
async def trigger_routine(name: str, actor: _Syncer, outreach: _Outreach) -> RoutineTriggered:
    """Besides its own times, which stay."""
    return RoutineTriggered(name=name, started=await outreach.trigger_routine(actor=actor, name=name))


@router.put("/{name}", summary="Turn a routine on or off", responses=problems(RoutineNotFound))
async def switch_routine(name: str, body: RoutineSwitch, actor: _Manager, outreach: _Outreach) -> RoutineSwitched:
    """One that is off does not run at its times; what runs already goes on, and it can still be triggered."""
    changed = await outreach.switch_routine(actor=actor, name=name, is_enabled=body.enabled)
    return RoutineSwitched(name=name, job=as_one(changed))
