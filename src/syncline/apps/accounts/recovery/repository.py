from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update

from syncline.apps.accounts.recovery.models import one_time_token as token
from syncline.runtime.db.session import Session, WriteSession


async def insert_token(session: WriteSession, values: dict[str, Any]) -> None:
    await session.execute(token.insert().values(**values))


async def find_good_token(session: Session, digest: bytes, purposes: Sequence[str], now: datetime) -> Row[Any] | None:
    good = (
        token.c.digest == digest,
        token.c.purpose.in_(purposes),
        token.c.used_at.is_(None),
        token.c.expires_at > now,
    )
    return (await session.execute(select(token).where(*good))).one_or_none()


async def take_token(session: WriteSession, digest: bytes, now: datetime) -> bool:
    """Whether this transaction is the one that uses it: of two at once the second waits, and finds it used."""
    query = update(token).where(token.c.digest == digest, token.c.used_at.is_(None)).values(used_at=now)
    return (await session.execute(query.returning(token.c.digest))).one_or_none() is not None


async def delete_tokens(session: WriteSession, user_id: UUID, purpose: str) -> None:
    await session.execute(delete(token).where(token.c.user_id == user_id, token.c.purpose == purpose))


async def newest_token(session: Session, user_id: UUID, purpose: str) -> datetime | None:
    query = select(func.max(token.c.created_at)).where(token.c.user_id == user_id, token.c.purpose == purpose)
    newest: datetime | None = (await session.execute(query)).scalar_one_or_none()
    return newest
