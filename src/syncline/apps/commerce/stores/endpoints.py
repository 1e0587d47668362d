"""`/api/shopify/stores/{name}/pause`: hold a store still, and let it go on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from syncline.apps.commerce.contract import Store, StoreNotFound
from syncline.apps.commerce.stores import service
from syncline.kernel.tenant import Actor
from syncline.runtime.http import controls
from syncline.runtime.http.auth import require
from syncline.runtime.http.controls import NotPaused, PauseCreate, PauseShown
from syncline.runtime.http.dependencies import Writing
from syncline.runtime.http.problems import problems
from syncline.runtime.http.stop_gate import changes_stops

router = APIRouter(prefix="/api/shopify/stores", tags=["stores"])
ROUTERS = (router,)

_Manager = Annotated[Actor, Depends(require("controls:manage"))]


@router.put("/{name}/pause", summary="Pause a store", responses=problems(StoreNotFound))
@changes_stops
async def pause_store(name: str, body: PauseCreate, actor: _Manager, session: Writing) -> PauseShown:
    """Its pulls and pushes do not start until it is resumed; what is under way is finished."""
    row = await service.get(session, name)
    return await controls.pause(session, actor, body.reason, store=row.store)


@router.delete("/{name}/pause", summary="Let a store go on", responses=problems(StoreNotFound, NotPaused))
@changes_stops
async def resume_store(name: str, actor: _Manager, session: Writing) -> Store:
    row = await service.get(session, name)
    await controls.resume(session, actor, store=row.store)
    return row.store
