"""How many staged changes there are, without looking at one of them.

Triggers of the table write down what every statement did to the number of changes of a store, kind, vendor and status,
in its own transaction: the sum is the count, also after a crash. Nobody waits for anybody there, since each only adds
rows. `fold` keeps these few: it makes one row a group of those that have been added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, text

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.staging.models import change_tally
from syncline.apps.commerce.stores.models import store
from syncline.runtime.db.session import Session, WriteSession

GROUPS = ("store", "kind", "vendor", "status")
MOST_ADDED = 2_000
"""Rows that are added up by whoever asks, before they are folded."""

_HOLD = text("SELECT pg_try_advisory_xact_lock(hashtextextended('commerce.change_tally ' || :tenant, 0))")
_LONG = text("""
    SELECT count(*) > :most FROM (
        SELECT 1 FROM commerce.change_tally WHERE tenant_id = :tenant AND NOT is_folded LIMIT :most + 1
    ) AS added
""")
_FOLD = text("""
    WITH added AS (
        DELETE FROM commerce.change_tally WHERE tenant_id = :tenant AND NOT is_folded
        RETURNING store_id, kind, vendor, status, n
    )
    INSERT INTO commerce.change_tally AS t (tenant_id, store_id, kind, vendor, status, n, is_folded)
    SELECT :tenant, store_id, kind, vendor, status, sum(n), true FROM added GROUP BY store_id, kind, vendor, status
    ON CONFLICT (tenant_id, store_id, kind, vendor, status) WHERE is_folded DO UPDATE SET n = t.n + excluded.n
""")


async def fold(session: WriteSession, *, most: int = MOST_ADDED) -> None:
    """In the caller's transaction, when more than `most` rows were added. One at a time: who finds somebody at it
    leaves it to him. Whoever counts meanwhile sees all of it before or all of it after."""
    values = {"tenant": session.tenant_id, "most": most}
    if not await session.scalar(_LONG, values):
        return
    if await session.scalar(_HOLD, {"tenant": str(session.tenant_id)}):
        await session.execute(_FOLD, {"tenant": session.tenant_id})


def _of(session: Session, store_name: str | None, statuses: Sequence[ChangeStatus]) -> list[ColumnElement[bool]]:
    """Of stores that are connected: what a removed one leaves behind is nobody's any more."""
    parts = [change_tally.c.tenant_id == session.tenant_id, store.c.tenant_id == session.tenant_id]
    if store_name is not None:
        parts.append(store.c.name == store_name)
    if statuses:
        parts.append(change_tally.c.status.in_(statuses))
    return parts


async def count_groups(
    session: Session, by: Sequence[str], *, store_name: str | None = None, statuses: Sequence[ChangeStatus] = ()
) -> Sequence[Any]:
    """One row a group, with the columns of `by` (of `GROUPS`) and `changes`; those of no changes are left out."""
    columns = [store.c.name.label("store") if name == "store" else change_tally.c[name] for name in by]
    total = func.sum(change_tally.c.n)
    query = (
        select(*columns, total.label("changes"))
        .join(store, store.c.id == change_tally.c.store_id)
        .where(*_of(session, store_name, statuses))
        .group_by(*columns)
        .having(total != 0)
        .order_by(*columns)
    )
    return (await session.execute(query)).all()


async def count_by_status(
    session: Session, store_name: str | None, statuses: Sequence[ChangeStatus] = ()
) -> dict[str, int]:
    found = await count_groups(session, ("status",), store_name=store_name, statuses=statuses)
    return {row.status: int(row.changes) for row in found}
