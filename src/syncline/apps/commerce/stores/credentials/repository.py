from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.commerce.stores.credentials.models import shopify_app
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class AppRow:
    """An app with its secrets, which only this app of ours may see."""

    id: UUID
    client_id: str
    secret_sealed: bytes = field(repr=False)
    other_secret_sealed: bytes | None = field(repr=False)
    scopes: tuple[str, ...]
    created_at: datetime
    rotated_at: datetime | None

    @property
    def secrets_sealed(self) -> tuple[bytes, ...]:
        """The newest first."""
        return (self.secret_sealed, *([self.other_secret_sealed] if self.other_secret_sealed is not None else []))


def _row(row: RowMapping) -> AppRow:
    return AppRow(
        id=row["id"],
        client_id=row["client_id"],
        secret_sealed=row["secret_sealed"],
        other_secret_sealed=row["other_secret_sealed"],
        scopes=tuple(row["scopes"]),
        created_at=row["created_at"],
        rotated_at=row["rotated_at"],
    )


async def list_all(session: Session) -> Sequence[AppRow]:
    query = select(shopify_app).where(shopify_app.c.tenant_id == session.tenant_id)
    return [_row(row) for row in (await session.execute(query.order_by(shopify_app.c.client_id))).mappings()]


async def find(session: Session, client_id: str) -> AppRow | None:
    query = select(shopify_app).where(
        shopify_app.c.tenant_id == session.tenant_id, shopify_app.c.client_id == client_id
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else _row(row)


async def find_by_id(session: Session, app_id: UUID) -> AppRow | None:
    query = select(shopify_app).where(shopify_app.c.tenant_id == session.tenant_id, shopify_app.c.id == app_id)
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else _row(row)


async def put(session: WriteSession, client_id: str, values: dict[str, Any]) -> AppRow:
    """Two who set it up at once agree on one row; the later values stand."""
    key = {"id": new_id(), "tenant_id": session.tenant_id, "client_id": client_id, "created_at": clock.now()}
    query = insert(shopify_app).values(**key, **values)
    query = query.on_conflict_do_update(constraint="shopify_app_client_key", set_=values)
    return _row((await session.execute(query.returning(shopify_app))).mappings().one())


async def change(session: WriteSession, app_id: UUID, **values: Any) -> AppRow:
    query = update(shopify_app).where(shopify_app.c.tenant_id == session.tenant_id, shopify_app.c.id == app_id)
    return _row((await session.execute(query.values(**values).returning(shopify_app))).mappings().one())


async def remove(session: WriteSession, app_id: UUID) -> None:
    await session.execute(
        delete(shopify_app).where(shopify_app.c.tenant_id == session.tenant_id, shopify_app.c.id == app_id)
    )
