from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.commerce.review.models import review_rule
from syncline.runtime.db.session import Session, WriteSession


async def find_rule(session: Session) -> Row[Any] | None:
    query = select(review_rule).where(review_rule.c.tenant_id == session.tenant)
    return (await session.execute(query)).one_or_none()


async def keep_rule(session: WriteSession, values: dict[str, Any]) -> None:
    query = insert(review_rule).values(tenant_id=session.tenant, **values)
    await session.execute(query.on_conflict_do_update(index_elements=["tenant_id"], set_=values))
