from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.accounts.profiles.models import profile
from syncline.runtime.db.session import Session, WriteSession


async def find_profiles(session: Session, user_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """Of these people, those that the transaction can see: oneself, and the members of the tenant."""
    return (await session.execute(select(profile).where(profile.c.user_id.in_(user_ids)))).all()


async def keep_profile(session: WriteSession, values: dict[str, Any], changed: dict[str, Any]) -> None:
    """`values` where there is none yet, else only what `changed`: two tabs that change different things both win."""
    query = insert(profile).values(**values)
    await session.execute(query.on_conflict_do_update(index_elements=["user_id"], set_=changed))
