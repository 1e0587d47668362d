from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, select, update

from syncline.apps.accounts.kept import forget
from syncline.apps.accounts.people.models import membership, user_account
from syncline.runtime.db.session import Session, WriteSession


async def list_members(session: Session) -> Sequence[Row[Any]]:
    """The oldest member first."""
    query = _members(session).order_by(membership.c.created_at, membership.c.user_id)
    rows: Sequence[Row[Any]] = (await session.execute(query)).all()
    return rows


async def find_member(session: Session, user_id: UUID) -> Row[Any] | None:
    row: Row[Any] | None = (
        await session.execute(_members(session).where(membership.c.user_id == user_id))
    ).one_or_none()
    return row


def _members(session: Session) -> Select[Any]:
    return (
        select(
            membership.c.user_id,
            membership.c.role,
            membership.c.created_at,
            membership.c.created_by,
            user_account.c.name,
            user_account.c.email,
            user_account.c.email_verified_at,
            user_account.c.disabled_at,
        )
        .join(user_account, user_account.c.id == membership.c.user_id)
        .where(membership.c.tenant_id == session.tenant)
    )


async def lock_owners(session: WriteSession) -> Sequence[UUID]:
    """Who owns the tenant; nobody else changes that until the transaction ends. Of two owners who remove each other
    at once, the second finds himself the last."""
    query = (
        select(membership.c.user_id)
        .where(membership.c.tenant_id == session.tenant, membership.c.role == "owner")
        .order_by(membership.c.user_id)
        .with_for_update()
    )
    return (await session.scalars(query)).all()


async def update_role(session: WriteSession, user_id: UUID, role: str) -> None:
    forget(user_id)
    mine = (membership.c.tenant_id == session.tenant, membership.c.user_id == user_id)
    await session.execute(update(membership).where(*mine).values(role=role))


async def delete_member(session: WriteSession, user_id: UUID) -> None:
    forget(user_id)
    mine = (membership.c.tenant_id == session.tenant, membership.c.user_id == user_id)
    await session.execute(delete(membership).where(*mine))
