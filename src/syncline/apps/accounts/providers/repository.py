from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update

from syncline.apps.accounts.providers.models import oidc_provider
from syncline.runtime.db.session import Session, WriteSession


async def list_providers(session: Session) -> Sequence[Row[Any]]:
    query = select(oidc_provider).where(oidc_provider.c.tenant_id == session.tenant)
    return (await session.execute(query.order_by(oidc_provider.c.name))).all()


async def find_provider(session: Session, provider_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = select(oidc_provider).where(oidc_provider.c.tenant_id == session.tenant, oidc_provider.c.id == provider_id)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def insert_provider(session: WriteSession, values: dict[str, Any]) -> Row[Any]:
    return (await session.execute(oidc_provider.insert().values(**values).returning(*oidc_provider.c))).one()


async def update_provider(session: WriteSession, provider_id: UUID, values: dict[str, Any]) -> Row[Any]:
    mine = (oidc_provider.c.tenant_id == session.tenant, oidc_provider.c.id == provider_id)
    query = update(oidc_provider).where(*mine).values(**values).returning(*oidc_provider.c)
    row: Row[Any] = (await session.execute(query)).one()
    return row


async def delete_provider(session: WriteSession, provider_id: UUID) -> None:
    mine = (oidc_provider.c.tenant_id == session.tenant, oidc_provider.c.id == provider_id)
    await session.execute(delete(oidc_provider).where(*mine))
