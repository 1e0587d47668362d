"""`/api/shopify/stores/{name}/review`: whether changes made in the store itself are staged for review."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.commerce.contract import Commerce, Store, StoreNotFound, StoreReview
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/shopify/stores", tags=["stores"])
ROUTERS = (router,)


class ReviewUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    review: StoreReview = Field(description="`inbound`: what others change in the store waits for review; `none`")


@router.put("/{name}/review", summary="Review changes made in a store", responses=problems(StoreNotFound))
async def set_store_review(
    name: str,
    body: ReviewUpdate,
    actor: Annotated[Actor, Depends(require("stores:manage"))],
    commerce: Annotated[Commerce, Depends(uses(Commerce))],
) -> Store:
    """From the next pull on. Approved, a change is accepted; rejected, its inverse is staged, to be approved and pushed
    like any other."""
    return await commerce.set_store_review(actor=actor, store=name, review=body.review)
