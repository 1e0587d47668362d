from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, update

from syncline.apps.commerce.contract import Store, StoreReview
from syncline.apps.commerce.stores.directory import repository as directory
from syncline.apps.commerce.stores.directory.models import shop_directory
from syncline.apps.commerce.stores.models import store
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A store with what only this app may see of it."""

    store: Store
    token_sealed: bytes | None
    """None once the shop uninstalled the app."""
    tenant_id: TenantId
    client_id: str | None
    """Of the app at Shopify that it is connected through; None for a token that somebody typed in."""


_COLUMNS = (
    *store.c,
    select(shop_directory.c.client_id)
    .where(shop_directory.c.store_id == store.c.id)
    .correlate(store)
    .scalar_subquery()
    .label("client_id"),
)


def _row(row: RowMapping) -> StoreRow:
    return StoreRow(
        store=Store(
            id=row["id"],
            name=row["name"],
            shop_domain=row["shop_domain"],
            base_url=row["base_url"],
            api_version=row["api_version"],
            shop_name=row["shop_name"],
            currency=row["currency"],
            plan=row["plan"],
            scopes=tuple(row["scopes"]),
            created_at=row["created_at"],
            review=StoreReview(row["review"]),
            uninstalled_at=row["uninstalled_at"],
        ),
        token_sealed=row["token_sealed"],
        tenant_id=TenantId(row["tenant_id"]),
        client_id=row["client_id"],
    )


async def find_by_name(session: Session, name: str) -> StoreRow | None:
    """By the name people use, or by the shop's domain."""
    query = select(*_COLUMNS).where(
        store.c.tenant_id == session.tenant_id, (store.c.name == name) | (store.c.shop_domain == name)
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return _row(row) if row else None


async def find_by_id(session: Session, store_id: UUID, *, lock: bool = False) -> StoreRow | None:
    """With `lock` nobody else changes it until the transaction ends; it may still be held (`hold`)."""
    query = select(*_COLUMNS).where(store.c.tenant_id == session.tenant_id, store.c.id == store_id)
    if lock:
        query = query.with_for_update(key_share=True, of=store)
    row = (await session.execute(query)).mappings().one_or_none()
    return _row(row) if row else None


async def hold(session: WriteSession, store_id: UUID) -> bool:
    """Whether the store is connected; nobody removes it until the transaction ends."""
    query = select(store.c.id).where(store.c.tenant_id == session.tenant_id, store.c.id == store_id)
    return (await session.execute(query.with_for_update(read=True, key_share=True))).one_or_none() is not None


async def list_all(session: Session) -> Sequence[StoreRow]:
    query = select(*_COLUMNS).where(store.c.tenant_id == session.tenant_id).order_by(store.c.name)
    return [_row(row) for row in (await session.execute(query)).mappings()]


async def add(session: WriteSession, *, token_sealed: bytes, values: dict[str, Any]) -> StoreRow:
    row = {"id": new_id(), "tenant_id": session.tenant_id, "created_at": clock.now(), "token_sealed": token_sealed}
    result = await session.execute(insert(store).values(**row, **values).returning(*_COLUMNS))
    added = _row(result.mappings().one())
    await directory.enter(session, added.store.id, added.store.shop_domain)
    return added


async def change(session: WriteSession, store_id: UUID, values: Mapping[str, Any]) -> StoreRow:
    query = (
        update(store)
        .where(store.c.tenant_id == session.tenant_id, store.c.id == store_id)
        .values(**values)
        .returning(*_COLUMNS)
    )
    return _row((await session.execute(query)).mappings().one())
