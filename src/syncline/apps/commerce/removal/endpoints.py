"""`DELETE /api/shopify/stores/{name}`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from syncline.apps.commerce.contract import (
    Commerce,
    PullAlreadyRunning,
    PushAlreadyRunning,
    StoreNotFound,
    StoreRemoval,
)
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/shopify/stores", tags=["stores"])
ROUTERS = (router,)


@router.delete(
    "/{name}",
    status_code=202,
    summary="Remove a store",
    responses={
        **problems(StoreNotFound, PullAlreadyRunning, PushAlreadyRunning),
        200: {"model": StoreRemoval, "description": "What would go; nothing was removed"},
    },
)
async def remove_store(
    name: str,
    actor: Annotated[Actor, Depends(require("stores:manage"))],
    commerce: Annotated[Commerce, Depends(uses(Commerce))],
    response: Response,
    dry_run: Annotated[bool, Query(description="Only say what would go")] = False,
) -> StoreRemoval:
    """Token, name and schedules go at once, its records, changes and receipts by a job soon after. The shop itself is
    not touched, and what was written to it stays; nothing of this can be undone here."""
    gone = await commerce.remove_store(actor=actor, store=name, dry_run=dry_run)
    response.status_code = 200 if dry_run else 202
    return gone
