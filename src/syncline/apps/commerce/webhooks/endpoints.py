"""`/api/webhooks/shopify/status`: whether webhooks are taken in here, and how many wait."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from syncline.apps.commerce.webhook_contract import WebhookState
from syncline.apps.commerce.webhooks import service
from syncline.apps.commerce.webhooks.hot_routes import PATHS
from syncline.apps.commerce.webhooks.topics import READERS
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading

router = APIRouter(prefix="/api/webhooks/shopify", tags=["webhooks"])
ROUTERS = (router,)


class WebhookStatus(BaseModel):
    status: str = Field(description="`active`: what is sent to `addresses` is taken in", examples=["active"])
    addresses: list[str]
    topics: list[str] = Field(description="What is applied to the mirror; others are kept and left alone")
    events: dict[WebhookState, int] = Field(description="Of the caller's tenant, by state")


@router.get("/status", summary="Are webhooks taken in")
async def webhook_status(_: Annotated[Actor, Depends(require("stores:read"))], session: Reading) -> WebhookStatus:
    counts = await service.count_states(session)
    return WebhookStatus(status="active", addresses=list(PATHS), topics=sorted(READERS), events=counts)
