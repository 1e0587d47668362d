from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.accounts.friends.models import block, friendship, visibility
from syncline.apps.accounts.people.models import membership, user_account
from syncline.runtime.db.session import Session, WriteSession


def _pair(tenant_id: UUID, one: UUID, other: UUID) -> Any:
    first, second = sorted((one, other))
    return and_(friendship.c.tenant_id == tenant_id, friendship.c.first_id == first, friendship.c.second_id == second)


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:pair, 0))")


async def lock_pair(session: WriteSession, one: UUID, other: UUID) -> None:
    """Nobody else changes what is between these two until the transaction ends: of a request and a block at once, the
    second sees the first."""
    pair = "/".join(str(part) for part in (session.tenant, *sorted((one, other))))
    await session.execute(_LOCK, {"pair": f"accounts.friendship {pair}"})


async def names_of(session: Session, user_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Of the members among them."""
    query = (
        select(membership.c.user_id, user_account.c.name)
        .join(user_account, user_account.c.id == membership.c.user_id)
        .where(membership.c.tenant_id == session.tenant, membership.c.user_id.in_(user_ids))
    )
    return {row.user_id: row.name for row in await session.execute(query)}


async def find_friendship(session: WriteSession, one: UUID, other: UUID) -> Row[Any] | None:
    query = select(friendship).where(_pair(session.tenant, one, other))
    row: Row[Any] | None = (await session.execute(query)).one_or_none()
    return row


async def insert_friendship(session: WriteSession, values: dict[str, Any]) -> bool:
    """False when there is one already, in whatever state."""
    first, second = sorted((values.pop("one"), values.pop("other")))
    query = insert(friendship).values(tenant_id=session.tenant, first_id=first, second_id=second, **values)
    added = await session.execute(query.on_conflict_do_nothing().returning(friendship.c.asked_at))
    return added.one_or_none() is not None


async def accept_friendship(session: WriteSession, one: UUID, other: UUID, at: Any) -> None:
    await session.execute(update(friendship).where(_pair(session.tenant, one, other)).values(accepted_at=at))


async def delete_friendship(session: WriteSession, one: UUID, other: UUID) -> bool:
    query = delete(friendship).where(_pair(session.tenant, one, other)).returning(friendship.c.asked_at)
    return (await session.execute(query)).one_or_none() is not None


async def list_friendships(session: Session, user_id: UUID) -> Sequence[Row[Any]]:
    mine = or_(friendship.c.first_id == user_id, friendship.c.second_id == user_id)
    query = select(friendship).where(friendship.c.tenant_id == session.tenant, mine)
    return (await session.execute(query.order_by(friendship.c.asked_at, friendship.c.first_id))).all()


async def insert_block(session: WriteSession, blocker: UUID, blocked: UUID, at: Any) -> None:
    values = {"tenant_id": session.tenant, "blocker_id": blocker, "blocked_id": blocked, "created_at": at}
    await session.execute(insert(block).values(**values).on_conflict_do_nothing())


async def delete_block(session: WriteSession, blocker: UUID, blocked: UUID) -> bool:
    mine = (block.c.tenant_id == session.tenant, block.c.blocker_id == blocker, block.c.blocked_id == blocked)
    return (await session.execute(delete(block).where(*mine).returning(block.c.created_at))).one_or_none() is not None


async def list_blocks(session: Session, user_id: UUID) -> Sequence[Row[Any]]:
    """Those he made and those that were made against him."""
    his = or_(block.c.blocker_id == user_id, block.c.blocked_id == user_id)
    query = select(block).where(block.c.tenant_id == session.tenant, his).order_by(block.c.created_at)
    return (await session.execute(query)).all()


async def find_visibilities(session: Session, user_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    query = select(visibility).where(visibility.c.tenant_id == session.tenant, visibility.c.user_id.in_(user_ids))
    return (await session.execute(query)).all()


async def keep_visibility(session: WriteSession, values: dict[str, Any], changed: dict[str, Any]) -> None:
    query = insert(visibility).values(tenant_id=session.tenant, **values)
    await session.execute(query.on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_=changed))
