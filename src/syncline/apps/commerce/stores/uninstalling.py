"""What becomes of a store when its shop uninstalls the app: nothing is asked of it any more, and nothing is deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.directory import repository as directory
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.trail import record
from syncline.runtime.controls import stops
from syncline.runtime.db.session import WriteSession

SHOPIFY: Final = "Shopify"
"""Who the trail says did it, and who holds the store."""


async def uninstalled(session: WriteSession, store_id: UUID, *, at: datetime) -> bool:
    """The shop removed the app at `at`, as the webhook tells it: the token is thrown away, and pulls, pushes and
    schedules of the store are held with a sentence until it is installed again. Records, changes and receipts stay
    until `shop/redact` asks for them.

    Safe to call again. False, and nothing done, when the store is gone, was uninstalled already, or was installed
    after `at`: a webhook that comes late must not take a new token away.
    """
    row = await repository.find_by_id(session, store_id, lock=True)
    grant = await grants.find(session, store_id)
    if row is None or row.store.uninstalled_at is not None:
        return False
    connected_at = row.store.created_at if grant is None else grant.granted_at
    if at < connected_at:
        return False
    await repository.change(session, store_id, {"token_sealed": None, "uninstalled_at": at})
    if grant is not None:
        await grants.change(
            session, store_id, refresh_sealed=None, refresh_expires_at=None, lease=None, lease_until=None
        )
    await directory.set_renewal(session, store_id, None)
    if not any(one.store_id == store_id for one in await stops.list_pauses(session)):
        reason = f"{row.store.shop_domain} uninstalled the app; {how_to_return(row.store.name)}"
        await stops.pause(session, store_id=store_id, reason=reason, actor=SHOPIFY)
    await record(
        session,
        actor=Actor(session.tenant, SHOPIFY, "service", method="webhook"),
        action="stores.uninstalled",
        subject=f"store {row.store.name}",
        details={"shop_domain": row.store.shop_domain},
    )
    return True


async def installed_again(session: WriteSession, store_id: UUID) -> None:
    """Lets go what `uninstalled` held. A pause of somebody's own stays."""
    held = [one for one in await stops.list_pauses(session) if one.store_id == store_id and one.actor == SHOPIFY]
    if held:
        await stops.resume(session, store_id=store_id)


def how_to_return(name: str) -> str:
    """Added to why a store is held."""
    return (
        f"connect it again with `syncline stores install {name}`, or give a custom app's new token with "
        f"`syncline stores token {name}`."
    )
