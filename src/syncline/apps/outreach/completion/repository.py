from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.outreach.completion.models import completion, signing
from syncline.runtime.db.session import Session, WriteSession


async def add(session: WriteSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(completion).values(tenant_id=session.tenant, **values))


async def find(session: Session, *, run_id: UUID | None = None, completion_id: UUID | None = None) -> Row[Any] | None:
    chosen = completion.c.run_id == run_id if run_id is not None else completion.c.id == completion_id
    return (await session.execute(select(completion).where(completion.c.tenant_id == session.tenant, chosen))).first()


async def change(session: WriteSession, completion_id: UUID, **values: Any) -> None:
    query = update(completion).where(completion.c.tenant_id == session.tenant, completion.c.id == completion_id)
    await session.execute(query.values(**values))


async def list_latest(session: Session, limit: int) -> Sequence[Row[Any]]:
    query = select(completion).where(completion.c.tenant_id == session.tenant)
    return (await session.execute(query.order_by(completion.c.created_at.desc()).limit(limit))).all()


async def find_secret(session: Session) -> bytes | None:
    query = select(signing.c.sealed_secret).where(signing.c.tenant_id == session.tenant)
    found: bytes | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def add_secret(session: WriteSession, values: Mapping[str, Any]) -> None:
    """The first one stays."""
    await session.execute(upsert(signing).values(tenant_id=session.tenant, **values).on_conflict_do_nothing())
