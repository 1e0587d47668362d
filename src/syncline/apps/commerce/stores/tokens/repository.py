from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.commerce.stores.tokens.models import store_grant
from syncline.runtime.db.session import Session, WriteSession


class GrantKind(StrEnum):
    """How a store's token came. `custom` is one that somebody made in Shopify's admin and typed in."""

    CUSTOM = "custom"
    CODE = "code"
    TOKEN_EXCHANGE = "token_exchange"  # noqa: S105 - a word
    CLIENT_CREDENTIALS = "client_credentials"


@dataclass(frozen=True, slots=True)
class GrantRow:
    """`expires_at` None: the access token lasts. `trouble` is why it could not be renewed, `needs_consent` whether
    only the merchant can mend that."""

    store_id: UUID
    kind: GrantKind
    app_id: UUID | None
    secret_sealed: bytes | None = field(repr=False)
    other_secret_sealed: bytes | None = field(repr=False)
    granted_at: datetime
    issued_at: datetime
    expires_at: datetime | None
    refresh_sealed: bytes | None = field(repr=False)
    refresh_expires_at: datetime | None
    trouble: str | None
    needs_consent: bool

    @property
    def secrets_sealed(self) -> tuple[bytes, ...]:
        """A custom app's own, the newest first."""
        return tuple(one for one in (self.secret_sealed, self.other_secret_sealed) if one is not None)


def _row(row: RowMapping) -> GrantRow:
    return GrantRow(
        store_id=row["store_id"],
        kind=GrantKind(row["kind"]),
        app_id=row["app_id"],
        secret_sealed=row["secret_sealed"],
        other_secret_sealed=row["other_secret_sealed"],
        granted_at=row["granted_at"],
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
        refresh_sealed=row["refresh_sealed"],
        refresh_expires_at=row["refresh_expires_at"],
        trouble=row["trouble"],
        needs_consent=row["needs_consent"],
    )


async def find(session: Session, store_id: UUID) -> GrantRow | None:
    """None for a store that is connected by a token and has no API secret key."""
    query = select(store_grant).where(store_grant.c.tenant_id == session.tenant_id, store_grant.c.store_id == store_id)
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else _row(row)


async def list_all(session: Session) -> dict[UUID, GrantRow]:
    """By store."""
    rows = await session.execute(select(store_grant).where(store_grant.c.tenant_id == session.tenant_id))
    return {row["store_id"]: _row(row) for row in rows.mappings()}


async def count_of_app(session: Session, app_id: UUID) -> int:
    query = select(func.count()).select_from(store_grant)
    query = query.where(store_grant.c.tenant_id == session.tenant_id, store_grant.c.app_id == app_id)
    return int((await session.execute(query)).scalar_one())


async def put(session: WriteSession, store_id: UUID, values: dict[str, Any]) -> None:
    """In place of what was granted before, whoever may be renewing that."""
    fresh = {"lease": None, "lease_until": None, "trouble": None, "needs_consent": False, **values}
    query = insert(store_grant).values(store_id=store_id, tenant_id=session.tenant_id, **fresh)
    await session.execute(query.on_conflict_do_update(index_elements=[store_grant.c.store_id], set_=fresh))


async def change(session: WriteSession, store_id: UUID, **values: Any) -> None:
    query = update(store_grant).where(store_grant.c.tenant_id == session.tenant_id, store_grant.c.store_id == store_id)
    await session.execute(query.values(**values))


async def remove(session: WriteSession, store_id: UUID) -> None:
    query = delete(store_grant).where(store_grant.c.tenant_id == session.tenant_id, store_grant.c.store_id == store_id)
    await session.execute(query)


async def take_lease(session: WriteSession, store_id: UUID, *, lease: UUID, lasts: timedelta) -> GrantRow | None:
    """None while somebody else holds it. By the database's clock: those of workers may differ."""
    query = (
        update(store_grant)
        .where(
            store_grant.c.tenant_id == session.tenant_id,
            store_grant.c.store_id == store_id,
            or_(store_grant.c.lease_until.is_(None), store_grant.c.lease_until < func.clock_timestamp()),
        )
        .values(lease=lease, lease_until=func.clock_timestamp() + lasts)
        .returning(store_grant)
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else _row(row)


async def end_lease(session: WriteSession, store_id: UUID, lease: UUID, **values: Any) -> bool:
    """With what came of it. False when it was taken from us, or the grant replaced: then nothing is written."""
    query = (
        update(store_grant)
        .where(
            store_grant.c.tenant_id == session.tenant_id,
            store_grant.c.store_id == store_id,
            store_grant.c.lease == lease,
        )
        .values(lease=None, lease_until=None, **values)
        .returning(store_grant.c.store_id)
    )
    return (await session.execute(query)).one_or_none() is not None
