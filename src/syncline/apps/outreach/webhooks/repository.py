from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.outreach.webhooks.models import webhook, webhook_door
from syncline.runtime.db.session import Session, WriteSession

WAITING, DONE, UNUSABLE = "waiting", "done", "unusable"


async def add_door(session: WriteSession, values: Mapping[str, Any]) -> Row[Any]:
    query = insert(webhook_door).values(tenant_id=session.tenant, **values).returning(webhook_door)
    row: Row[Any] = (await session.execute(query)).one()
    return row


async def find_door(session: Session, digest: bytes) -> Row[Any] | None:
    query = select(webhook_door).where(webhook_door.c.tenant_id == session.tenant, webhook_door.c.digest == digest)
    return (await session.execute(query)).one_or_none()


async def get_door(session: Session, door_id: UUID) -> Row[Any] | None:
    query = select(webhook_door).where(webhook_door.c.tenant_id == session.tenant, webhook_door.c.id == door_id)
    return (await session.execute(query)).one_or_none()


async def list_doors(session: Session) -> Sequence[Row[Any]]:
    query = select(webhook_door).where(webhook_door.c.tenant_id == session.tenant)
    return (await session.execute(query.order_by(webhook_door.c.created_at))).all()


async def change_door(session: WriteSession, door_id: UUID, **values: Any) -> None:
    query = update(webhook_door).where(webhook_door.c.tenant_id == session.tenant, webhook_door.c.id == door_id)
    await session.execute(query.values(**values))


async def remove_door(session: WriteSession, door_id: UUID) -> None:
    query = delete(webhook_door).where(webhook_door.c.tenant_id == session.tenant, webhook_door.c.id == door_id)
    await session.execute(query)


async def keep(session: WriteSession, values: Mapping[str, Any]) -> bool:
    """False when the same was kept before."""
    query = upsert(webhook).values(tenant_id=session.tenant, state=WAITING, attempts=0, **values)
    once = query.on_conflict_do_nothing(index_elements=["tenant_id", "digest"]).returning(webhook.c.id)
    return (await session.execute(once)).one_or_none() is not None


async def take_waiting(session: WriteSession, limit: int) -> Sequence[Row[Any]]:
    """The oldest, held until the transaction ends."""
    query = select(webhook).where(webhook.c.tenant_id == session.tenant, webhook.c.state == WAITING)
    query = query.order_by(webhook.c.received_at, webhook.c.id).limit(limit).with_for_update(skip_locked=True)
    return (await session.execute(query)).all()


async def end(session: WriteSession, ids: Sequence[UUID]) -> None:
    query = update(webhook).where(webhook.c.tenant_id == session.tenant, webhook.c.id.in_(ids))
    await session.execute(query.values(state=DONE))


async def set_aside(session: WriteSession, webhook_id: UUID, sentence: str) -> None:
    query = update(webhook).where(webhook.c.tenant_id == session.tenant, webhook.c.id == webhook_id)
    await session.execute(query.values(state=UNUSABLE, sentence=sentence))


async def count(session: Session) -> dict[str, int]:
    """By platform and state: `lemlist done`."""
    query = select(webhook.c.platform, webhook.c.state, func.count()).where(webhook.c.tenant_id == session.tenant)
    rows = await session.execute(query.group_by(webhook.c.platform, webhook.c.state))
    return {f"{platform} {state}": int(total) for platform, state, total in rows}
