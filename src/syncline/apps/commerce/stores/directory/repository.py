from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update

from syncline.apps.commerce.stores.directory.models import shop_directory
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class Entry:
    """A store as it is seen across tenants."""

    store_id: UUID
    tenant: TenantId


async def enter(session: WriteSession, store_id: UUID, shop_domain: str) -> None:
    values = {"store_id": store_id, "tenant": session.tenant, "shop_domain": shop_domain}
    await session.execute(insert(shop_directory).values(**values))


async def change(session: WriteSession, store_id: UUID, *, client_id: str | None, renew_at: datetime | None) -> None:
    """Through which app it is connected, and when its token is to be renewed. Violates `shop_directory_app_key` when
    the same app has the shop in another tenant."""
    query = update(shop_directory).where(shop_directory.c.tenant == session.tenant)
    await session.execute(
        query.where(shop_directory.c.store_id == store_id).values(client_id=client_id, renew_at=renew_at)
    )


async def set_renewal(session: WriteSession, store_id: UUID, renew_at: datetime | None) -> None:
    query = update(shop_directory).where(shop_directory.c.tenant == session.tenant)
    await session.execute(query.where(shop_directory.c.store_id == store_id).values(renew_at=renew_at))


async def list_of_shop(session: Session, shop_domain: str) -> Sequence[Entry]:
    """Of all tenants, in any session."""
    query = select(shop_directory.c.store_id, shop_directory.c.tenant).where(
        shop_directory.c.shop_domain == shop_domain.lower()
    )
    rows = await session.execute(query.order_by(shop_directory.c.store_id))
    return [Entry(row.store_id, TenantId(row.tenant)) for row in rows]


async def list_due(session: Session, now: datetime, limit: int) -> Sequence[Entry]:
    """Whose token is to be renewed by now, of all tenants, longest due first."""
    query = select(shop_directory.c.store_id, shop_directory.c.tenant).where(shop_directory.c.renew_at <= now)
    rows = await session.execute(query.order_by(shop_directory.c.renew_at).limit(limit))
    return [Entry(row.store_id, TenantId(row.tenant)) for row in rows]


async def is_due(session: Session, store_id: UUID, now: datetime) -> bool:
    query = select(shop_directory.c.store_id).where(
        shop_directory.c.tenant == session.tenant_id,
        shop_directory.c.store_id == store_id,
        shop_directory.c.renew_at <= now,
    )
    return (await session.execute(query)).one_or_none() is not None
