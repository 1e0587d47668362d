"""Changes on their way to the store: many moved by one statement, which counts them once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from syncline.apps.commerce.contract import ChangeStatus, Json
from syncline.runtime.db.session import WriteSession

_MOVE = text("""
    UPDATE commerce.staged_change AS c
    SET status = m.status, attempt = m.attempt, theirs = CAST(m.theirs AS jsonb), sentence = m.sentence
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:attempts AS bigint[]), CAST(:theirs AS text[]),
        CAST(:sentences AS text[])
    ) AS m (id, status, attempt, theirs, sentence)
    WHERE c.tenant_id = :tenant AND c.id = m.id
""")


@dataclass(frozen=True, slots=True)
class Moved:
    """A change with the state it comes to, and what is said about that."""

    change_id: UUID
    status: ChangeStatus
    attempt: int
    theirs: Json | None = None
    sentence: str | None = None


async def move(session: WriteSession, rows: Sequence[Moved]) -> None:
    """Each change stands in `rows` once."""
    values = {
        "tenant": session.tenant_id,
        "ids": [row.change_id for row in rows],
        "statuses": [row.status.value for row in rows],
        "attempts": [row.attempt for row in rows],
        "theirs": [None if row.theirs is None else json.dumps(row.theirs) for row in rows],
        "sentences": [row.sentence for row in rows],
    }
    await session.execute(_MOVE, values)
