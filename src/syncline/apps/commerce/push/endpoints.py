"""`/api/sync`: what is staged, and how it is sent in parallel."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from syncline.apps.commerce.contract import (
    BatchNotFound,
    ChangeBatch,
    ChangeQuery,
    ChangeStatus,
    Commerce,
    NothingToDo,
    PushAlreadyRunning,
    PushRun,
    RunNotFound,
    StoreNotFound,
    StoreRefused,
)
from syncline.apps.commerce.push.schemas import SyncStart, SyncStatus, SyncWish
from syncline.apps.commerce.push_contract import PushNotLive, PushPlan, PushRefused
from syncline.apps.commerce.schemas import ChangeList, EditCreate
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Paging, pagination, uses
from syncline.runtime.http.problems import problems

sync = APIRouter(prefix="/api/sync", tags=["parallel sync"])
ROUTERS = (sync,)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Reader = Annotated[Actor, Depends(require("changes:read"))]
Stager = Annotated[Actor, Depends(require("changes:stage"))]
Pusher = Annotated[Actor, Depends(require("changes:push"))]

_WISH_PROBLEMS = problems(StoreNotFound, RunNotFound, PushNotLive)


@sync.get("/staged", summary="List staged changes", responses=problems(StoreNotFound, BatchNotFound))
async def list_staged(
    actor: Reader,
    commerce: Commerced,
    paging: Paging,
    store: Annotated[str | None, Query()] = None,
    status: Annotated[list[ChangeStatus] | None, Query(description="May be given several times")] = None,
    search: Annotated[str, Query(description="The search syntax", examples=["field:price vendor:Acme"])] = "",
) -> ChangeList:
    """Field by field, before and after, oldest first."""
    query = ChangeQuery(store=store, statuses=tuple(status or ()), search=search)
    page = await commerce.list_changes(actor=actor, query=query, page=paging)
    return ChangeList(changes=list(page.items), pagination=pagination(page))


@sync.post("/staged", status_code=201, summary="Stage a bulk edit", responses=problems(StoreNotFound, NothingToDo))
async def stage(body: EditCreate, actor: Stager, commerce: Commerced) -> ChangeBatch:
    """Nothing is written to the store: the differences wait for review."""
    return await commerce.stage_edit(actor=actor, store=body.store, where=body.where, edits=body.edits, note=body.note)


@sync.get("/status", summary="Where pushes stand", responses=problems(StoreNotFound))
async def status(
    actor: Reader,
    commerce: Commerced,
    store: Annotated[str | None, Query(description="Only this one")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> SyncStatus:
    """Those that are not over and the last ones that are: changes by status, workers and what each of them does, points
    and requests, and what was saved."""
    pushes = await commerce.list_pushes(actor=actor, store=store, limit=limit)
    return SyncStatus(pushes=sorted(pushes, key=lambda push: push.status.is_final))


@sync.post("/plan", summary="Show what a push would do", responses=problems(StoreNotFound, BatchNotFound, StoreRefused))
async def plan(body: SyncStart, actor: Reader, commerce: Commerced) -> PushPlan:
    """How many calls, requests, points and seconds, and what the store would refuse. Nothing is claimed or sent; the
    store is asked for its permissions and its bucket."""
    return await commerce.plan_push(
        actor=actor,
        store=await _store(actor, commerce, body.store),
        batch_id=body.batch_id,
        config=body.config.config(),
    )


@sync.post(
    "/start",
    status_code=202,
    summary="Start a push",
    responses=problems(StoreNotFound, BatchNotFound, NothingToDo, PushAlreadyRunning, PushRefused),
)
async def start(body: SyncStart, actor: Pusher, commerce: Commerced) -> PushRun:
    """Sends every approved change with the given workers, batch size, priority and strategy; follow it at
    `/api/sync/status`."""
    return await commerce.start_push(
        actor=actor,
        store=await _store(actor, commerce, body.store),
        batch_id=body.batch_id,
        config=body.config.config(),
    )


@sync.post("/stop", summary="Stop a push", responses=_WISH_PROBLEMS)
async def stop(body: SyncWish, actor: Pusher, commerce: Commerced) -> PushRun:
    """What is in flight is finished and written down; what was not begun stays approved, for the next push."""
    return await commerce.stop_push(actor=actor, run_id=await _run(actor, commerce, body))


@sync.post("/pause", summary="Pause a push", responses=_WISH_PROBLEMS)
async def pause(body: SyncWish, actor: Pusher, commerce: Commerced) -> PushRun:
    """What is in flight is finished and written down; then the push waits to be resumed."""
    return await commerce.pause_push(actor=actor, run_id=await _run(actor, commerce, body))


@sync.post("/resume", summary="Resume a paused push", responses=_WISH_PROBLEMS)
async def resume(body: SyncWish, actor: Pusher, commerce: Commerced) -> PushRun:
    return await commerce.resume_push(actor=actor, run_id=await _run(actor, commerce, body))


async def _store(actor: Actor, commerce: Commerce, named: str | None) -> str:
    if named is not None:
        return named
    names = [store.name for store in await commerce.list_stores(actor=actor)]
    if len(names) != 1:
        raise InvalidInput(f"Say which store; there are {', '.join(names) or 'none yet'}.")
    return names[0]


async def _run(actor: Actor, commerce: Commerce, body: SyncWish) -> UUID:
    if body.run_id is not None:
        return body.run_id
    store = await _store(actor, commerce, body.store)
    live = await commerce.list_pushes(actor=actor, store=store, live_only=True, limit=1)
    if not live:
        raise RunNotFound(f"No push to {store} is running or paused.")
    return live[0].id
