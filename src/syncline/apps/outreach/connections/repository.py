from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.outreach.connections.models import connection, directory
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession

PLATFORM_KIND = "platform"


async def put(session: WriteSession, platform: str, values: Mapping[str, Any]) -> Row[Any]:
    query = upsert(connection).values(tenant_id=session.tenant, platform=platform, **values)
    query = query.on_conflict_do_update(index_elements=["tenant_id", "platform"], set_=dict(values))
    row: Row[Any] = (await session.execute(query.returning(connection))).one()
    place = {"kind": PLATFORM_KIND, "name": platform, "tenant": session.tenant}
    await session.execute(upsert(directory).values(**place).on_conflict_do_nothing())
    return row


async def find(session: Session, platform: str) -> Row[Any] | None:
    query = select(connection).where(connection.c.tenant_id == session.tenant, connection.c.platform == platform)
    return (await session.execute(query)).one_or_none()


async def list_all(session: Session) -> Sequence[Row[Any]]:
    query = select(connection).where(connection.c.tenant_id == session.tenant).order_by(connection.c.platform)
    return (await session.execute(query)).all()


async def change(session: WriteSession, platform: str, **values: Any) -> None:
    query = update(connection).where(connection.c.tenant_id == session.tenant, connection.c.platform == platform)
    await session.execute(query.values(**values))


async def remove(session: WriteSession, platform: str) -> bool:
    query = delete(connection).where(connection.c.tenant_id == session.tenant, connection.c.platform == platform)
    place = delete(directory).where(
        directory.c.kind == PLATFORM_KIND, directory.c.name == platform, directory.c.tenant == session.tenant
    )
    await session.execute(place)
    return (await session.execute(query.returning(connection.c.platform))).one_or_none() is not None


async def list_tenants(session: Session, platforms: Sequence[str]) -> Sequence[TenantId]:
    """Who is connected to any of them; of all tenants, so ask it in a session of the system."""
    query = select(directory.c.tenant).where(directory.c.kind == PLATFORM_KIND, directory.c.name.in_(platforms))
    return [TenantId(tenant) for tenant in await session.scalars(query.distinct().order_by(directory.c.tenant))]


async def list_places(session: Session, kind: str, name: str) -> Sequence[TenantId]:
    query = select(directory.c.tenant).where(directory.c.kind == kind, directory.c.name == name)
    return [TenantId(tenant) for tenant in await session.scalars(query)]


async def add_place(session: WriteSession, kind: str, name: str) -> None:
    await session.execute(insert(directory).values(kind=kind, name=name, tenant=session.tenant))


async def remove_place(session: WriteSession, kind: str, name: str) -> None:
    query = delete(directory).where(
        directory.c.kind == kind, directory.c.name == name, directory.c.tenant == session.tenant
    )
    await session.execute(query)
