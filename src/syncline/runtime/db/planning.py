"""What the planner is told when it cannot know better."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from syncline.runtime.db.session import Session

_OFF, _ON = text("SET LOCAL enable_nestloop = off"), text("SET LOCAL enable_nestloop = on")


@asynccontextmanager
async def joined_by_hash(session: Session) -> AsyncIterator[None]:
    """Statements within look through no table once more for each row of another. For rows that were put in a moment
    ago, which the planner takes for one or two."""
    await session.execute(_OFF)
    yield  # after an error nothing is set back: the transaction, or the savepoint, is over
    await session.execute(_ON)
