from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.accounts.oidc.models import oidc_flow, oidc_identity
from syncline.runtime.db.session import Session, WriteSession


async def insert_flow(session: WriteSession, values: dict[str, Any]) -> None:
    await session.execute(oidc_flow.insert().values(**values))


async def take_flow(session: WriteSession, digest: bytes) -> Row[Any] | None:
    """Once: whoever comes second finds none."""
    query = delete(oidc_flow).where(oidc_flow.c.digest == digest).returning(*oidc_flow.c)
    row: Row[Any] | None = (await session.execute(query)).one_or_none()
    return row


async def delete_flows(session: WriteSession, *, before: datetime) -> None:
    await session.execute(delete(oidc_flow).where(oidc_flow.c.expires_at < before))


async def find_identity(session: Session, provider: str, issuer: str, subject: str) -> Row[Any] | None:
    query = select(oidc_identity).where(
        oidc_identity.c.provider == provider,
        oidc_identity.c.issuer == issuer,
        oidc_identity.c.subject == subject,
    )
    return (await session.execute(query)).one_or_none()


async def insert_identity(session: WriteSession, values: dict[str, Any]) -> bool:
    """False when it is linked already, to whomever."""
    query = insert(oidc_identity).values(**values).on_conflict_do_nothing().returning(oidc_identity.c.id)
    return (await session.execute(query)).one_or_none() is not None


async def mark_used(session: WriteSession, identity_id: UUID, at: datetime) -> None:
    await session.execute(update(oidc_identity).where(oidc_identity.c.id == identity_id).values(last_used_at=at))


async def list_identities(session: Session, user_id: UUID) -> Sequence[Row[Any]]:
    query = select(oidc_identity).where(oidc_identity.c.user_id == user_id)
    return (await session.execute(query.order_by(oidc_identity.c.created_at, oidc_identity.c.id))).all()


async def delete_identity(session: WriteSession, identity_id: UUID) -> None:
    await session.execute(delete(oidc_identity).where(oidc_identity.c.id == identity_id))


async def delete_identities_of(session: WriteSession, provider: str) -> None:
    await session.execute(delete(oidc_identity).where(oidc_identity.c.provider == provider))
