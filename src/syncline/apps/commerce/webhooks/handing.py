"""Webhooks that are not about a record of the mirror, handed to the part they are for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from syncline.apps.commerce.compliance.receiving import receive
from syncline.apps.commerce.compliance_contract import RequestTopic
from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.stores import repository as stores
from syncline.apps.commerce.stores.uninstalling import uninstalled
from syncline.apps.commerce.webhooks.claims import Claimed
from syncline.apps.commerce.webhooks.told import Payload
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import WriteSession

HandOn: TypeAlias = Callable[[WriteSession, Runtime, Store, Claimed, Payload], Awaitable[None]]
"""In the transaction that settles the webhook; may be called again for the same one under another delivery id."""


async def _uninstalled(session: WriteSession, _: Runtime, store: Store, event: Claimed, __: Payload) -> None:
    await uninstalled(session, store.id, at=event.triggered_at or event.received_at)


async def _shop_changed(session: WriteSession, _: Runtime, store: Store, __: Claimed, payload: Payload) -> None:
    """What the store calls itself. Its address stays: Shopify's permanent one never changes."""
    told = {
        "shop_name": payload.get("name"),
        "currency": payload.get("currency"),
        "plan": payload.get("plan_display_name"),
    }
    values = {name: str(value) for name, value in told.items() if value}
    if values:
        await stores.change(session, store.id, values)


async def _asked(session: WriteSession, runtime: Runtime, store: Store, event: Claimed, payload: Payload) -> None:
    await receive(
        session,
        runtime.queue,
        store,
        topic=event.topic,
        payload=payload,
        event_id=event.id,
        delivery=event.delivery_id,
        received_at=event.received_at,
    )


HANDED: Final[Mapping[str, HandOn]] = {
    "app/uninstalled": _uninstalled,
    "shop/update": _shop_changed,
    **dict.fromkeys((topic.value for topic in RequestTopic), _asked),
}
