"""`/api/webhook-management`: the contract over HTTP. The tenant of a path is the caller's own."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from syncline.apps.commerce.contract import Commerce, StoreNotFound
from syncline.apps.commerce.webhook_contract import WebhookEvent, WebhookState
from syncline.apps.commerce.webhook_management.schemas import (
    CatchUpList,
    CatchUpStart,
    EventList,
    FailedRetry,
    GiveUp,
    WebhookList,
    WebhookRegister,
    WebhooksRemoved,
)
from syncline.apps.commerce.webhook_management_contract import (
    CatchUp,
    NoPublicAddress,
    NotComparable,
    NotRegistered,
    PayloadDiff,
    RetriedWebhooks,
    StoreWebhooks,
    WebhookCheck,
    WebhookEmptied,
    WebhookEventShown,
    WebhookNotFound,
    WebhookSettled,
    WebhookStats,
)
from syncline.kernel.errors import NotAllowed, NotFound
from syncline.kernel.tenant import Actor
from syncline.runtime.http.audit import reads_people
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Paging, pagination, uses
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/webhook-management", tags=["webhook management"])
ROUTERS = (router,)


class NotYourTenant(NotAllowed):
    code = "WEBHOOK_107"
    title = "Another tenant's webhooks"


class NoSuchTenant(NotFound):
    code = "WEBHOOK_108"
    title = "No such tenant"


Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Reader = Annotated[Actor, Depends(require("stores:read"))]
Keeper = Annotated[Actor, Depends(require("stores:manage"))]
CustomerReader = Annotated[Actor, Depends(require("customers:read"))]
StoreName = Annotated[str | None, Query(description="The store's name; not needed when there is one only")]
_TENANT = (NotYourTenant, NoSuchTenant, StoreNotFound)


def _own(actor: Actor, tenant: str) -> None:
    """Raises unless the path names the caller's own tenant."""
    try:
        given = UUID(tenant)
    except ValueError as error:
        raise NoSuchTenant(f"{tenant!r} is no tenant's id; yours is {actor.tenant_id}.") from error
    if given != actor.tenant_id:
        raise NotYourTenant(f"Your key is of another tenant; use {actor.tenant_id}.")


@router.post(
    "/register/{tenantId}", summary="Register a store's webhooks", responses=problems(*_TENANT, NoPublicAddress)
)
async def register(
    tenantId: str,  # noqa: N803 - the path's own name
    actor: Keeper,
    commerce: Commerced,
    body: WebhookRegister | None = None,
    store: StoreName = None,
) -> StoreWebhooks:
    """Subscribes to what the store's token may read, and keeps it so: what Shopify drops is made again. Safe to repeat;
    what is there already is kept."""
    _own(actor, tenantId)
    asked = body or WebhookRegister()
    return await commerce.register_webhooks(actor=actor, store=store, topics=asked.topics, url=asked.url)


@router.get("/list/{tenantId}", summary="List subscriptions", responses=problems(*_TENANT))
async def list_webhooks(
    tenantId: str,  # noqa: N803
    actor: Reader,
    commerce: Commerced,
    store: StoreName = None,
) -> WebhookList:
    """Of each store: what it is to send, whether Shopify does, when that was looked at last."""
    _own(actor, tenantId)
    return WebhookList(webhooks=await commerce.list_webhooks(actor=actor, store=store))


@router.delete("/delete-all/{tenantId}", summary="Delete all subscriptions", responses=problems(*_TENANT))
async def delete_all(
    tenantId: str,  # noqa: N803
    actor: Keeper,
    commerce: Commerced,
    store: StoreName = None,
) -> WebhooksRemoved:
    """Ours only, of one store or of all, and keeps none up any more. Events that were received stay."""
    _own(actor, tenantId)
    return WebhooksRemoved(removed=await commerce.remove_webhooks(actor=actor, store=store))


@router.post("/check/{tenantId}", summary="Mend subscriptions now", responses=problems(*_TENANT, NotRegistered))
async def check(
    tenantId: str,  # noqa: N803
    actor: Keeper,
    commerce: Commerced,
    store: StoreName = None,
) -> WebhookCheck:
    """What is done every quarter of an hour anyway: compares with what Shopify sends, and mends."""
    _own(actor, tenantId)
    return await commerce.check_webhooks(actor=actor, store=store)


@router.post("/reconcile/{tenantId}", summary="Find what webhooks missed", responses=problems(*_TENANT))
async def reconcile(
    tenantId: str,  # noqa: N803
    actor: Keeper,
    commerce: Commerced,
    body: CatchUpStart | None = None,
    store: StoreName = None,
) -> CatchUp:
    """Records the store changed since then against the mirror: what differs is read again, and it is said why no
    webhook told of it. Answers when it is done."""
    _own(actor, tenantId)
    return await commerce.catch_up_webhooks(actor=actor, store=store, since=body.since if body else None)


@router.get("/reconcile/{tenantId}", summary="What webhooks missed so far", responses=problems(*_TENANT))
async def list_catch_ups(
    tenantId: str,  # noqa: N803
    actor: Reader,
    commerce: Commerced,
    store: StoreName = None,
) -> CatchUpList:
    """The last 50 looks, newest first."""
    _own(actor, tenantId)
    return CatchUpList(catch_ups=await commerce.list_catch_ups(actor=actor, store=store))


TopicOf = Annotated[str | None, Query(max_length=120, description="Like products/update")]
Processed = Annotated[bool | None, Query(description="Settled, whatever came of it; or not yet")]
StatusOf = Annotated[WebhookState | None, Query(description="waiting, applied, ignored, failed or dead")]


@router.get("/events", summary="List webhooks received", responses=problems(StoreNotFound))
async def list_events(
    actor: Reader,
    commerce: Commerced,
    page: Paging,
    topic: TopicOf = None,
    processed: Processed = None,
    status: StatusOf = None,
    store: StoreName = None,
) -> EventList:
    """The latest first, without what they carried."""
    found = await commerce.list_webhook_events(
        actor=actor, store=store, topic=topic, processed=processed, state=status, page=page
    )
    return EventList(events=found.items, pagination=pagination(found))


@router.get("/events/{tenantId}", summary="List a tenant's webhooks", responses=problems(*_TENANT))
async def list_events_of(
    tenantId: str,  # noqa: N803
    actor: Reader,
    commerce: Commerced,
    page: Paging,
    topic: TopicOf = None,
    processed: Processed = None,
    status: StatusOf = None,
    store: StoreName = None,
) -> EventList:
    _own(actor, tenantId)
    return await list_events(actor, commerce, page, topic, processed, status, store)


@router.get("/event/{eventId}", summary="Look at a webhook", responses=problems(WebhookNotFound))
@reads_people
async def get_event(eventId: UUID, actor: CustomerReader, commerce: Commerced) -> WebhookEventShown:  # noqa: N803
    """With what it carried, as long as that is kept. It may be about a person."""
    return await commerce.get_webhook_event(actor=actor, event_id=eventId)


_DIFF = problems(WebhookNotFound, NotComparable, WebhookEmptied)


@router.get("/event/{eventId}/diff", summary="What changed since the webhook before", responses=_DIFF)
@reads_people
async def diff_before(eventId: UUID, actor: CustomerReader, commerce: Commerced) -> PayloadDiff:  # noqa: N803
    """Field by field, against the webhook of the same record that came before it."""
    return await commerce.diff_webhooks(actor=actor, event_id=eventId)


@router.get("/event/{eventId}/diff/{otherId}", summary="Compare two webhooks of a record", responses=_DIFF)
@reads_people
async def diff(
    eventId: UUID,  # noqa: N803
    otherId: UUID,  # noqa: N803
    actor: CustomerReader,
    commerce: Commerced,
) -> PayloadDiff:
    """From the earlier to the later, in whichever order they are named."""
    return await commerce.diff_webhooks(actor=actor, event_id=eventId, other_id=otherId)


@router.post(
    "/retry/{eventId}",
    summary="Try a webhook again",
    responses=problems(WebhookNotFound, WebhookSettled, WebhookEmptied),
)
async def retry(eventId: UUID, actor: Keeper, commerce: Commerced) -> WebhookEvent:  # noqa: N803
    """A failed or dead one waits again. One that was applied is refused, so nothing is done twice."""
    return await commerce.retry_webhook(actor=actor, event_id=eventId)


@router.post("/retry-failed/{tenantId}", summary="Try all failed webhooks again", responses=problems(*_TENANT))
async def retry_failed(
    tenantId: str,  # noqa: N803
    actor: Keeper,
    commerce: Commerced,
    body: FailedRetry | None = None,
    store: StoreName = None,
) -> RetriedWebhooks:
    """Failed and dead ones, the oldest first, up to the limit."""
    _own(actor, tenantId)
    return await commerce.retry_failed_webhooks(actor=actor, store=store, limit=(body or FailedRetry()).limit)


@router.post("/mark-failed/{eventId}", summary="Give a webhook up", responses=problems(WebhookNotFound, WebhookSettled))
async def mark_failed(
    eventId: UUID,  # noqa: N803
    actor: Keeper,
    commerce: Commerced,
    body: GiveUp | None = None,
) -> WebhookEvent:
    """A waiting or failed one becomes a dead letter, with the reason given."""
    return await commerce.give_up_webhook(actor=actor, event_id=eventId, reason=(body or GiveUp()).reason)


@router.get("/stats/{tenantId}", summary="Count webhooks", responses=problems(*_TENANT))
async def stats(
    tenantId: str,  # noqa: N803
    actor: Reader,
    commerce: Commerced,
    days: Annotated[int, Query(ge=1, le=365)] = 7,
    store: StoreName = None,
) -> WebhookStats:
    """By topic and by day, how many came to what, and how long that took."""
    _own(actor, tenantId)
    return await commerce.webhook_stats(actor=actor, store=store, days=days)
