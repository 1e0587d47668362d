"""Selections: which changes matched at one moment, kept for a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select

from syncline.apps.commerce.staging.models import change_selection
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import Session, WriteSession

KEPT = timedelta(days=1)


async def add_selection(session: WriteSession, chosen: Any, *, search: str, created_by: str) -> UUID:
    """`chosen` selects the ids. They are gathered by the database itself, however many they are. Selections whose time
    is over go with it."""
    selection_id, now = new_id(), clock.now()
    over = delete(change_selection).where(
        change_selection.c.tenant_id == session.tenant_id, change_selection.c.expires_at <= now
    )
    await session.execute(over)
    ids = func.coalesce(select(func.array_agg(chosen.subquery("chosen").c.id)).scalar_subquery(), [])
    await session.execute(
        insert(change_selection).values(
            id=selection_id,
            tenant_id=session.tenant_id,
            search=search,
            ids=ids,
            created_by=created_by,
            created_at=now,
            expires_at=now + KEPT,
        )
    )
    return selection_id


async def find_selection(session: Session, selection_id: UUID) -> Any:
    """With how many `changes` it holds; None when there is none or its time is over."""
    table = change_selection.c
    query = select(
        *(table.id, table.search, table.created_by, table.created_at, table.expires_at),
        func.cardinality(table.ids).label("changes"),
    )
    mine = (table.tenant_id == session.tenant_id, table.id == selection_id, table.expires_at > clock.now())
    return (await session.execute(query.where(*mine))).one_or_none()


def ids_of(session: Session, selection_id: UUID) -> Any:
    """Selects what is in it, for an IN."""
    table = change_selection.c
    return select(func.unnest(table.ids)).where(table.tenant_id == session.tenant_id, table.id == selection_id)
