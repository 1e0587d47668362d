from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from syncline.apps.operations.channels.models import channel
from syncline.apps.operations.contract import Channel, ChannelKind
from syncline.runtime.db.session import Session, WriteSession


def view(row: Row[Any]) -> Channel:
    return Channel(
        id=row.id,
        name=row.name,
        kind=ChannelKind(row.kind),
        target=row.target,
        operations=tuple(row.operations),
        only_failures=row.only_failures,
        is_enabled=row.is_enabled,
        disabled_because=row.disabled_because,
        created_by=row.created_by,
        created_at=row.created_at,
    )


async def add(session: WriteSession, values: dict[str, Any]) -> Row[Any]:
    query = insert(channel).values(tenant_id=session.tenant, **values).returning(channel)
    row: Row[Any] = (await session.execute(query)).one()
    return row


async def find(session: Session, name: str) -> Row[Any] | None:
    query = select(channel).where(channel.c.tenant_id == session.tenant, channel.c.name == name)
    return (await session.execute(query)).one_or_none()


async def find_by_id(session: Session, channel_id: UUID) -> Row[Any] | None:
    query = select(channel).where(channel.c.tenant_id == session.tenant, channel.c.id == channel_id)
    return (await session.execute(query)).one_or_none()


async def list_all(session: Session) -> Sequence[Row[Any]]:
    query = select(channel).where(channel.c.tenant_id == session.tenant).order_by(channel.c.name)
    return (await session.execute(query)).all()


async def change(session: WriteSession, channel_id: UUID, values: dict[str, Any]) -> Row[Any]:
    query = update(channel).where(channel.c.tenant_id == session.tenant, channel.c.id == channel_id).values(**values)
    row: Row[Any] = (await session.execute(query.returning(channel))).one()
    return row


async def remove(session: WriteSession, name: str) -> bool:
    query = delete(channel).where(channel.c.tenant_id == session.tenant, channel.c.name == name)
    return (await session.execute(query.returning(channel.c.id))).one_or_none() is not None
