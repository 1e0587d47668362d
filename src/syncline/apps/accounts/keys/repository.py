from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select, update

from syncline.apps.accounts.kept import forget
from syncline.apps.accounts.keys.models import api_key
from syncline.runtime.db.session import Session, WriteSession


async def list_candidates(session: Session, prefix: str) -> Sequence[Row[Any]]:
    """Keys whose public part is `prefix`: one, but for a coincidence of 48 bits."""
    query = select(api_key).where(api_key.c.tenant_id == session.tenant, api_key.c.prefix == prefix)
    return (await session.execute(query)).all()


async def insert_key(session: WriteSession, values: dict[str, Any]) -> Row[Any]:
    return (await session.execute(api_key.insert().values(**values).returning(*api_key.c))).one()


async def list_keys(session: Session, *, include_revoked: bool) -> Sequence[Row[Any]]:
    query = select(api_key).where(api_key.c.tenant_id == session.tenant).order_by(api_key.c.id.desc())
    if not include_revoked:
        query = query.where(api_key.c.revoked_at.is_(None))
    return (await session.execute(query)).all()


async def find_key(session: Session, key_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = select(api_key).where(api_key.c.tenant_id == session.tenant, api_key.c.id == key_id)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def replace_key(session: WriteSession, key_id: UUID, *, by: UUID, until: datetime) -> None:
    forget(key_id)
    await session.execute(
        update(api_key)
        .where(api_key.c.tenant_id == session.tenant, api_key.c.id == key_id)
        .values(replaced_by=by, expires_at=until)
    )


async def revoke_key(session: WriteSession, key_id: UUID, at: datetime) -> None:
    forget(key_id)
    await session.execute(
        update(api_key)
        .where(api_key.c.tenant_id == session.tenant, api_key.c.id == key_id, api_key.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )


async def mark_used(session: WriteSession, key_id: UUID, at: datetime, *, every: timedelta) -> None:
    await session.execute(
        update(api_key)
        .where(
            api_key.c.tenant_id == session.tenant,
            api_key.c.id == key_id,
            or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at <= at - every),
        )
        .values(last_used_at=at)
    )
