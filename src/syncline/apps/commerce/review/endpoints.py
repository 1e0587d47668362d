"""`/api/enhanced-sync/review-rule`: whether somebody else than the author has to approve, and in what
time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.review_contract import ReviewRule
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses

review = APIRouter(prefix="/api/enhanced-sync/review-rule", tags=["enhanced sync"])
ROUTERS = (review,)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Reader = Annotated[Actor, Depends(require("changes:read"))]
Keeper = Annotated[Actor, Depends(require("controls:manage"))]


class RuleUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    four_eyes: bool | None = Field(
        default=None, description="On: nobody approves what he staged himself; as it is, when left out"
    )
    expire_after_days: int | None = Field(
        default=None,
        ge=0,
        le=365,
        description="What nobody decides so many days after it was staged expires; 0 is never; as it is, when left out",
    )


@review.get("", summary="Who may approve")
async def get_review_rule(actor: Reader, commerce: Commerced) -> ReviewRule:
    """`is_fixed` when the operator asks for four eyes everywhere."""
    return await commerce.get_review_rule(actor=actor)


@review.put("", summary="Change who may approve")
async def set_review_rule(body: RuleUpdate, actor: Keeper, commerce: Commerced) -> ReviewRule:
    """From now on; what was approved stays approved, and what was staged keeps its date."""
    return await commerce.set_review_rule(
        actor=actor, four_eyes=body.four_eyes, expire_after_days=body.expire_after_days
    )
