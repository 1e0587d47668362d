"""What people say to each other about changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, exists, func, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.staging.models import change_note, staged_change
from syncline.kernel import clock
from syncline.runtime.db.session import Session, WriteSession

_COLUMNS = ("id", "tenant_id", "change_id", "author", "text", "created_at")


def among(column: Any, ids: Sequence[UUID]) -> Any:
    """`column` is one of the ids, however many: they are one parameter."""
    return column == any_(bindparam(None, list(ids), type_=ARRAY(Uuid), unique=True))


async def add_notes(session: WriteSession, ids: Sequence[UUID], *, author: str, text: str) -> None:
    """The same words beside each of the changes."""
    table = staged_change.c
    values = (func.gen_random_uuid(), table.tenant_id, table.id, literal(author), literal(text), literal(clock.now()))
    rows = select(*values).where(table.tenant_id == session.tenant_id, among(table.id, ids))
    await session.execute(insert(change_note).from_select(_COLUMNS, rows))


async def keep_first_words(session: WriteSession, ids: Sequence[UUID]) -> None:
    """Before a change's own note is written over: what its author said stays, as his."""
    table = staged_change.c
    is_kept = exists().where(
        change_note.c.tenant_id == table.tenant_id,
        change_note.c.change_id == table.id,
        change_note.c.text == table.note,
    )
    rows = select(
        *(func.gen_random_uuid(), table.tenant_id, table.id, table.author, table.note, table.created_at)
    ).where(table.tenant_id == session.tenant_id, among(table.id, ids), table.note.is_not(None), ~is_kept)
    await session.execute(insert(change_note).from_select(_COLUMNS, rows))


async def list_notes(session: Session, change_id: UUID) -> Sequence[Any]:
    """Oldest first."""
    table = change_note.c
    query = select(table.author, table.text, table.created_at).where(
        table.tenant_id == session.tenant_id, table.change_id == change_id
    )
    return (await session.execute(query.order_by(table.created_at, table.id))).all()
