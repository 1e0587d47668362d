from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.accounts.privacy.models import privacy_key
from syncline.runtime.db.session import Session, WriteSession


async def find_key(session: Session) -> bytes | None:
    query = select(privacy_key.c.sealed_key).where(privacy_key.c.tenant_id == session.tenant)
    found = await session.scalar(query)
    return None if found is None else bytes(found)


async def insert_key(session: WriteSession, values: dict[str, Any]) -> None:
    """Two at once agree on the first."""
    await session.execute(insert(privacy_key).values(**values).on_conflict_do_nothing())
