"""Which webhooks are dead letters, across tenants. The database keeps the list, by triggers of `webhook_event`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from syncline.apps.commerce.webhooks.models import webhook_dead
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session


async def count(session: Session, tenant: TenantId | None) -> int:
    """Of every tenant, or of one, in any session."""
    query = select(func.count()).select_from(webhook_dead)
    if tenant is not None:
        query = query.where(webhook_dead.c.tenant == tenant)
    return int(await session.scalar(query) or 0)


async def tenants(session: Session, tenant: TenantId | None) -> Sequence[TenantId]:
    """Who has any; of one only whether he has."""
    query = _tenants()
    return await _found(session, query if tenant is None else query.where(webhook_dead.c.tenant == tenant))


async def tenants_of(session: Session, ids: Sequence[UUID]) -> Sequence[TenantId]:
    """Whose these are, as far as they are dead letters."""
    return await _found(session, _tenants().where(webhook_dead.c.event_id.in_(ids)))


def _tenants() -> Select[Any]:
    return select(webhook_dead.c.tenant).distinct().order_by(webhook_dead.c.tenant)


async def _found(session: Session, query: Select[Any]) -> Sequence[TenantId]:
    return [TenantId(one) for one in await session.scalars(query)]
