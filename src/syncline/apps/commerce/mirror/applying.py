"""What the store answered to a write, into the mirror."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, update

from syncline.apps.commerce.fields import Owner, Value
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.values import columns_of
from syncline.runtime.db.session import WriteSession


async def apply_to_mirror(
    session: WriteSession,
    store_id: UUID,
    *,
    owner: Owner,
    key: Key,
    values: Mapping[str, Value],
    updated_at: datetime | None,
) -> None:
    """Set the fields a write set. A mirror row that is already newer is left alone. The row's hashes are cleared, so
    the next pull looks at its line whatever it says."""
    kind = KINDS[owner.value]
    table = kind.table.c
    given: dict[str, Any] = {**columns_of(values), "line_hash": 0, "content_hash": 0}
    query = update(kind.table).where(
        table.tenant_id == session.tenant_id,
        table.store_id == store_id,
        *(table[name] == number for name, number in zip(kind.key, key, strict=True)),
    )
    if updated_at is not None:
        given["source_updated_at"] = updated_at
        query = query.where(or_(table.source_updated_at.is_(None), table.source_updated_at <= updated_at))
    await session.execute(query.values(**given))
