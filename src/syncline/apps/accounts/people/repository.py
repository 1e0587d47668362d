from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text, update

from syncline.apps.accounts.kept import forget
from syncline.apps.accounts.models import tenant
from syncline.apps.accounts.people.models import membership, user_account
from syncline.runtime.db.session import Session, WriteSession

_SET_PERSON = text("SELECT set_config('syncline.user', :user_id, true)")


async def see_own(session: Session, user_id: UUID) -> None:
    """From here on the transaction sees the rows of this person, in whichever tenant they are."""
    await session.execute(_SET_PERSON, {"user_id": str(user_id)})


async def find_user_by_email(session: Session, key: str) -> Row[Any] | None:
    return (await session.execute(select(user_account).where(user_account.c.email_key == key))).one_or_none()


async def find_user(session: Session, user_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = select(user_account).where(user_account.c.id == user_id)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def list_person_ids(session: Session) -> Sequence[UUID]:
    return (await session.scalars(select(user_account.c.id).order_by(user_account.c.id))).all()


async def insert_user(session: WriteSession, values: dict[str, Any]) -> Row[Any]:
    return (await session.execute(user_account.insert().values(**values).returning(*user_account.c))).one()


async def update_user(session: WriteSession, user_id: UUID, values: dict[str, Any]) -> None:
    forget(user_id)
    await session.execute(update(user_account).where(user_account.c.id == user_id).values(**values))


async def insert_membership(
    session: WriteSession, *, user_id: UUID, role: str, created_by: str, created_at: datetime
) -> None:
    values = {
        "tenant_id": session.tenant,
        "user_id": user_id,
        "role": role,
        "created_at": created_at,
        "created_by": created_by,
    }
    await session.execute(membership.insert().values(**values))


async def list_places(session: Session, user_id: UUID) -> Sequence[Row[Any]]:
    """The tenants a person belongs to, with his role, oldest first. Needs `see_own`."""
    query = (
        select(tenant, membership.c.role, membership.c.created_at.label("joined_at"))
        .join(membership, membership.c.tenant_id == tenant.c.id)
        .where(membership.c.user_id == user_id)
        .order_by(membership.c.created_at, tenant.c.id)
    )
    return (await session.execute(query)).all()
