"""Changes in conflict: held for whoever settles them, and ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus
from syncline.apps.commerce.staging.merge import Settlement
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.staging.repository import ChangeRow, change_row, matching, not_staged_by
from syncline.kernel import clock
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import WriteSession


async def lock_conflicts(
    session: WriteSession, query: ChangeQuery, *, not_by: Sequence[Actor] = ()
) -> Sequence[ChangeRow]:
    """What matches and is in conflict, and nobody of `not_by` staged. In the order of ids, so that two who settle the
    same wait for each other and never lock each other out."""
    return await _lock(session, matching(session, query), not_by)


async def lock_conflicts_of(
    session: WriteSession, store_id: UUID, *, not_by: Sequence[Actor] = ()
) -> Sequence[ChangeRow]:
    return await _lock(session, staged_change.c.store_id == store_id, not_by)


async def _lock(session: WriteSession, chosen: ColumnElement[bool], not_by: Sequence[Actor]) -> Sequence[ChangeRow]:
    table = staged_change.c
    query = (
        select(staged_change)
        .where(table.tenant_id == session.tenant_id, table.status == ChangeStatus.CONFLICT, chosen)
        .order_by(table.id)
        .with_for_update()
    )
    for actor in not_by:
        query = query.where(*not_staged_by(session, actor))
    return [change_row(row) for row in (await session.execute(query)).mappings()]


async def end_conflict(
    session: WriteSession, change: ChangeRow, settled: Settlement, reviewer: str, sentence: str | None
) -> bool:
    """True when it is approved again on top of what the store said; False when nothing is left of it."""
    values: dict[str, Any] = {"reviewer": reviewer, "reviewed_at": clock.now(), "sentence": sentence}
    if settled.after:
        values |= {
            "status": ChangeStatus.APPROVED,
            "before": settled.before,
            "after": settled.after,
            "theirs": None,
        }
    else:
        values["status"] = ChangeStatus.SKIPPED
    table = staged_change.c
    await session.execute(
        update(staged_change).where(table.tenant_id == session.tenant_id, table.id == change.id).values(**values)
    )
    return bool(settled.after)
