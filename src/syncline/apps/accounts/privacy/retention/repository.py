from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.accounts.privacy.retention.models import retention_setting
from syncline.runtime.db.session import Session, WriteSession


async def find_days(session: Session) -> dict[str, int | None]:
    """The days of rules that the tenant set itself."""
    query = select(retention_setting.c.rule, retention_setting.c.days).where(
        retention_setting.c.tenant_id == session.tenant
    )
    rows: dict[str, int | None] = {row.rule: row.days for row in await session.execute(query)}
    return rows


async def set_days(session: WriteSession, values: dict[str, Any]) -> None:
    query = insert(retention_setting).values(**values)
    changed = {name: query.excluded[name] for name in ("days", "changed_by", "changed_at")}
    await session.execute(query.on_conflict_do_update(index_elements=["tenant_id", "rule"], set_=changed))
