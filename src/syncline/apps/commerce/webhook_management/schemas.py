"""What HTTP accepts and returns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from syncline.apps.commerce.webhook_contract import WebhookEvent
from syncline.apps.commerce.webhook_management_contract import CatchUp, StoreWebhooks
from syncline.runtime.http.schemas import Pagination


class WebhookRegister(BaseModel):
    """`topics`: all that the store's token may have, when empty. `url`: where Syncline is reached, instead of the
    setting."""

    topics: Annotated[list[str], Field(max_length=250)] = []
    url: Annotated[str | None, Field(max_length=2_000)] = None


class WebhookList(BaseModel):
    webhooks: Sequence[StoreWebhooks]


class WebhooksRemoved(BaseModel):
    removed: int


class EventList(BaseModel):
    events: Sequence[WebhookEvent]
    pagination: Pagination


class FailedRetry(BaseModel):
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100


class GiveUp(BaseModel):
    reason: Annotated[str, Field(max_length=500)] = ""


class CatchUpStart(BaseModel):
    since: datetime | None = None


class CatchUpList(BaseModel):
    catch_ups: Sequence[CatchUp]
