from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.accounts.privacy.erasures.models import erasure, erasure_step
from syncline.runtime.db.session import Session, WriteSession


async def insert_erasure(session: WriteSession, values: dict[str, Any], apps: Sequence[str]) -> bool:
    """With a step for each app. False when there is one with this id already."""
    query = insert(erasure).values(**values).on_conflict_do_nothing().returning(erasure.c.id)
    if (await session.execute(query)).one_or_none() is None:
        return False
    steps = [{"erasure_id": values["id"], "app": app, "tenant_id": session.tenant} for app in apps]
    await session.execute(erasure_step.insert(), steps)
    return True


async def find_erasure(session: Session, erasure_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = select(erasure).where(erasure.c.tenant_id == session.tenant, erasure.c.id == erasure_id)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def list_erasures(session: Session, digests: Sequence[bytes] | None, *, limit: int) -> Sequence[Row[Any]]:
    """Newest first."""
    query = select(erasure).where(erasure.c.tenant_id == session.tenant)
    if digests is not None:
        query = query.where(erasure.c.digests.overlap(list(digests)))
    return (await session.execute(query.order_by(erasure.c.id.desc()).limit(limit))).all()


async def update_erasure(session: WriteSession, erasure_id: UUID, values: dict[str, Any]) -> None:
    mine = (erasure.c.tenant_id == session.tenant, erasure.c.id == erasure_id)
    await session.execute(update(erasure).where(*mine).values(**values))


async def list_steps(session: Session, erasure_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    query = (
        select(erasure_step)
        .where(erasure_step.c.tenant_id == session.tenant, erasure_step.c.erasure_id.in_(erasure_ids))
        .order_by(erasure_step.c.erasure_id, erasure_step.c.finished_at.nulls_last(), erasure_step.c.app)
    )
    return (await session.execute(query)).all()


async def update_step(session: WriteSession, erasure_id: UUID, app: str, values: dict[str, Any]) -> None:
    mine = (
        erasure_step.c.tenant_id == session.tenant,
        erasure_step.c.erasure_id == erasure_id,
        erasure_step.c.app == app,
    )
    await session.execute(update(erasure_step).where(*mine).values(**values))
