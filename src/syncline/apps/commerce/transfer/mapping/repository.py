from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.commerce.sheet_contract import SheetMapping
from syncline.apps.commerce.transfer.mapping.models import sheet_mapping
from syncline.runtime.db.session import Session, WriteSession

_SHOWN = (sheet_mapping.c.name, sheet_mapping.c.columns, sheet_mapping.c.changed_by, sheet_mapping.c.changed_at)


async def list_all(session: Session) -> Sequence[SheetMapping]:
    query = select(*_SHOWN).where(sheet_mapping.c.tenant_id == session.tenant).order_by(sheet_mapping.c.name)
    return [SheetMapping(**dict(row)) for row in (await session.execute(query)).mappings()]


async def find(session: Session, name: str) -> SheetMapping | None:
    query = select(*_SHOWN).where(
        sheet_mapping.c.tenant_id == session.tenant, func.lower(sheet_mapping.c.name) == name.strip().lower()
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return SheetMapping(**dict(row)) if row else None


async def count(session: Session) -> int:
    query = select(func.count()).select_from(sheet_mapping).where(sheet_mapping.c.tenant_id == session.tenant)
    return int((await session.execute(query)).scalar_one())


async def keep(session: WriteSession, name: str, values: dict[str, Any]) -> None:
    query = insert(sheet_mapping).values(tenant_id=session.tenant, name=name, **values)
    await session.execute(query.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=values))


async def remove(session: WriteSession, name: str) -> bool:
    query = delete(sheet_mapping).where(
        sheet_mapping.c.tenant_id == session.tenant, func.lower(sheet_mapping.c.name) == name.strip().lower()
    )
    return bool(getattr(await session.execute(query), "rowcount", 0))
