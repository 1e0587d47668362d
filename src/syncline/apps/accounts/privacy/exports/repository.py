from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update

from syncline.apps.accounts.privacy.exports.models import personal_export, personal_export_part
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import Session, WriteSession


async def insert_export(session: WriteSession, values: dict[str, Any]) -> Row[Any]:
    query = personal_export.insert().values(**values).returning(*personal_export.c)
    return (await session.execute(query)).one()


async def find_export(session: Session, export_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    mine = (personal_export.c.tenant_id == session.tenant, personal_export.c.id == export_id)
    query = select(personal_export).where(*mine)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def update_export(session: WriteSession, export_id: UUID, values: dict[str, Any]) -> None:
    mine = (personal_export.c.tenant_id == session.tenant, personal_export.c.id == export_id)
    await session.execute(update(personal_export).where(*mine).values(**values))


async def insert_part(session: WriteSession, export_id: UUID, number: int, sealed: bytes) -> None:
    values = {
        "id": new_id(),
        "export_id": export_id,
        "number": number,
        "tenant_id": session.tenant,
        "sealed_bytes": sealed,
    }
    await session.execute(personal_export_part.insert().values(**values))


async def delete_parts(session: WriteSession, export_ids: Sequence[UUID]) -> None:
    mine = (personal_export_part.c.tenant_id == session.tenant, personal_export_part.c.export_id.in_(export_ids))
    await session.execute(delete(personal_export_part).where(*mine))


async def read_parts(session: Session, export_id: UUID) -> AsyncIterator[bytes]:
    """In their order, one at a time."""
    number = 0
    table = personal_export_part.c
    while True:
        query = select(table.sealed_bytes).where(
            table.tenant_id == session.tenant, table.export_id == export_id, table.number == number
        )
        sealed = await session.scalar(query)
        if sealed is None:
            return
        yield bytes(sealed)
        number += 1


async def list_expired(session: Session, now: datetime) -> Sequence[UUID]:
    query = select(personal_export.c.id).where(
        personal_export.c.tenant_id == session.tenant,
        personal_export.c.expires_at <= now,
        personal_export.c.status != "expired",
    )
    return (await session.scalars(query)).all()


async def delete_exports_of(session: WriteSession, digests: Sequence[bytes]) -> int:
    """Of whoever has one of these names, with their files."""
    query = delete(personal_export).where(
        personal_export.c.tenant_id == session.tenant, personal_export.c.digests.overlap(list(digests))
    )
    return len((await session.execute(query.returning(personal_export.c.id))).all())
