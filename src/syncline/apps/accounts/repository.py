"""The directory of tenants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from syncline.apps.accounts.models import tenant
from syncline.runtime.db.session import Session, WriteSession


async def find_tenant(session: Session, slug: str) -> Row[Any] | None:
    return (await session.execute(select(tenant).where(tenant.c.slug == slug))).one_or_none()


async def insert_tenant(session: WriteSession, values: dict[str, Any]) -> None:
    await session.execute(tenant.insert().values(**values))


async def list_slugs_like(session: Session, stem: str) -> Sequence[str]:
    """Slugs that are `stem`, or `stem` with something after a dash."""
    query = select(tenant.c.slug).where((tenant.c.slug == stem) | tenant.c.slug.startswith(f"{stem}-", autoescape=True))
    return (await session.scalars(query)).all()


async def list_tenants(session: Session, ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    return (await session.execute(select(tenant).where(tenant.c.id.in_(ids)))).all()


async def list_tenant_ids(session: Session) -> Sequence[UUID]:
    return (await session.scalars(select(tenant.c.id).order_by(tenant.c.id))).all()
