"""`/api/shopify/stores/{name}/schedules`: standing orders for a store."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from syncline.apps.commerce.contract import Commerce, PullAlreadyRunning, StoreNotFound
from syncline.apps.commerce.schedule_contract import BadTiming, Schedule, ScheduleExists, ScheduleNotFound
from syncline.apps.commerce.schedules.schemas import AlignmentCreate, ScheduleCreate, ScheduleList, ScheduleUpdate
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

schedules = APIRouter(prefix="/api/shopify/stores/{name}/schedules", tags=["schedules"])
ROUTERS = (schedules,)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Reader = Annotated[Actor, Depends(require("stores:read"))]
Puller = Annotated[Actor, Depends(require("catalog:pull"))]
Stager = Annotated[Actor, Depends(require("changes:stage"))]


async def _of_store(commerce: Commerce, actor: Actor, name: str, schedule_id: UUID) -> UUID:
    """The id, if it is one of this store's."""
    found = await commerce.list_schedules(actor=actor, store=name)
    if schedule_id not in {one.id for one in found}:
        raise ScheduleNotFound(f"{name} has no schedule {schedule_id}; GET the list of its schedules.")
    return schedule_id


@schedules.get("", summary="List a store's schedules", responses=problems(StoreNotFound))
async def list_schedules(name: str, actor: Reader, commerce: Commerced) -> ScheduleList:
    """With the next time, the last run and how many failed in a row."""
    return ScheduleList(schedules=list(await commerce.list_schedules(actor=actor, store=name)))


@schedules.post(
    "", status_code=201, summary="Add a schedule", responses=problems(StoreNotFound, BadTiming, ScheduleExists)
)
async def add_schedule(name: str, body: ScheduleCreate, actor: Puller, commerce: Commerced) -> Schedule:
    """A time that passed while no worker ran is made up once, however many passed."""
    return await commerce.add_schedule(actor=actor, store=name, action=body.action, timing=body.timing, zone=body.zone)


@schedules.post(
    "/align",
    status_code=201,
    summary="Keep a store in step with another",
    responses=problems(StoreNotFound, BadTiming, ScheduleExists),
)
async def schedule_alignment(name: str, body: AlignmentCreate, actor: Stager, commerce: Commerced) -> Schedule:
    """Each time, what differs by then is staged on the store of the path, for review; what waits already is not staged
    again. It waits for pulls of either store."""
    return await commerce.schedule_alignment(
        actor=actor,
        source=body.source,
        target=name,
        fields=body.fields,
        timing=body.timing,
        by=body.by,
        where=body.where,
        zone=body.zone,
    )


@schedules.patch(
    "/{schedule_id}",
    summary="Change, pause or resume a schedule",
    responses=problems(StoreNotFound, ScheduleNotFound, BadTiming, ScheduleExists),
)
async def change_schedule(
    name: str, schedule_id: UUID, body: ScheduleUpdate, actor: Puller, commerce: Commerced
) -> Schedule:
    return await commerce.change_schedule(
        actor=actor,
        schedule_id=await _of_store(commerce, actor, name, schedule_id),
        action=body.action,
        timing=body.timing,
        zone=body.zone,
        is_enabled=body.is_enabled,
    )


@schedules.delete(
    "/{schedule_id}",
    status_code=204,
    summary="Remove a schedule",
    responses=problems(StoreNotFound, ScheduleNotFound),
)
async def remove_schedule(name: str, schedule_id: UUID, actor: Puller, commerce: Commerced) -> None:
    """What it started goes on."""
    await commerce.remove_schedule(actor=actor, schedule_id=await _of_store(commerce, actor, name, schedule_id))


@schedules.post(
    "/{schedule_id}/run",
    status_code=202,
    summary="Run a schedule now",
    responses=problems(StoreNotFound, ScheduleNotFound, PullAlreadyRunning),
)
async def run_schedule(name: str, schedule_id: UUID, actor: Puller, commerce: Commerced) -> Schedule:
    """Its next time stays. Follow the run at `/api/enhanced-sync/pulls/{id}`, with the `run_id` of `last_run`."""
    return await commerce.run_schedule(actor=actor, schedule_id=await _of_store(commerce, actor, name, schedule_id))
