"""`/api/notifications`: who is told of the end of operations, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from syncline.apps.operations.contract import (
    BadChannel,
    Channel,
    ChannelExists,
    ChannelNotFound,
    Delivery,
    DeliveryStatus,
    Notifications,
)
from syncline.apps.operations.schemas import (
    ChannelCreate,
    ChannelCreated,
    ChannelList,
    ChannelUpdate,
    DeliveryList,
)
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Paging, pagination, uses
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/notifications", tags=["notifications"])

_Notifications = Annotated[Notifications, Depends(uses(Notifications))]
_Manager = Annotated[Actor, Depends(require("notifications:manage"))]


@router.get("/channels", summary="List the channels")
async def list_channels(actor: _Manager, notifications: _Notifications) -> ChannelList:
    return ChannelList(channels=list(await notifications.list_channels(actor=actor)))


@router.post("/channels", status_code=201, summary="Add a channel", responses=problems(BadChannel, ChannelExists))
async def add_channel(body: ChannelCreate, actor: _Manager, notifications: _Notifications) -> ChannelCreated:
    added = await notifications.add_channel(
        actor=actor,
        name=body.name,
        kind=body.kind,
        target=body.target.get_secret_value(),
        operations=[one.value for one in body.operations],
        only_failures=body.only_failures,
    )
    return ChannelCreated(channel=added.channel, secret=added.secret)


@router.patch("/channels/{name}", summary="Change a channel", responses=problems(ChannelNotFound, BadChannel))
async def change_channel(name: str, body: ChannelUpdate, actor: _Manager, notifications: _Notifications) -> Channel:
    return await notifications.change_channel(
        actor=actor,
        name=name,
        operations=None if body.operations is None else [one.value for one in body.operations],
        only_failures=body.only_failures,
        is_enabled=body.is_enabled,
    )


@router.delete("/channels/{name}", status_code=204, summary="Remove a channel", responses=problems(ChannelNotFound))
async def remove_channel(name: str, actor: _Manager, notifications: _Notifications) -> None:
    """With its receipts."""
    await notifications.remove_channel(actor=actor, name=name)


@router.post("/channels/{name}/test", summary="Try a channel", responses=problems(ChannelNotFound))
async def test_channel(name: str, actor: _Manager, notifications: _Notifications) -> Delivery:
    """At once, and once; the answer is the receipt."""
    return await notifications.test_channel(actor=actor, name=name)


@router.get("/deliveries", summary="List what was told", responses=problems(ChannelNotFound))
async def list_deliveries(
    actor: _Manager,
    notifications: _Notifications,
    page: Paging,
    channel: Annotated[str | None, Query(description="Only this one's")] = None,
    status: Annotated[DeliveryStatus | None, Query()] = None,
) -> DeliveryList:
    """The latest first."""
    found = await notifications.list_deliveries(actor=actor, channel=channel, status=status, page=page)
    return DeliveryList(deliveries=list(found.items), pagination=pagination(found))
