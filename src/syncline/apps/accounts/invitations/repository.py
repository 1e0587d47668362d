from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from syncline.apps.accounts.invitations.models import invitation
from syncline.runtime.db.session import Session, WriteSession


async def insert_invitation(session: WriteSession, values: dict[str, Any]) -> Row[Any]:
    return (await session.execute(invitation.insert().values(**values).returning(*invitation.c))).one()


async def list_open(session: Session, now: datetime) -> Sequence[Row[Any]]:
    """Newest first."""
    query = select(invitation).where(*_open(session, now)).order_by(invitation.c.id.desc())
    return (await session.execute(query)).all()


async def find_open(session: Session, digest: bytes, now: datetime) -> Row[Any] | None:
    query = select(invitation).where(invitation.c.digest == digest, *_open(session, now))
    return (await session.execute(query)).one_or_none()


async def take(session: WriteSession, invitation_id: UUID, now: datetime) -> bool:
    """Whether this transaction is the one that accepts it."""
    query = update(invitation).where(invitation.c.id == invitation_id, *_open(session, now)).values(accepted_at=now)
    return (await session.execute(query.returning(invitation.c.id))).one_or_none() is not None


async def revoke(
    session: WriteSession, now: datetime, *, invitation_id: UUID | None = None, email_key: str | None = None
) -> Sequence[Row[Any]]:
    """Those that are open: the one with this id, or all to this address."""
    which = invitation.c.id == invitation_id if invitation_id is not None else invitation.c.email_key == email_key
    query = update(invitation).where(which, *_open(session, now)).values(revoked_at=now).returning(*invitation.c)
    return (await session.execute(query)).all()


def _open(session: Session, now: datetime) -> tuple[Any, ...]:
    return (
        invitation.c.tenant_id == session.tenant,
        invitation.c.accepted_at.is_(None),
        invitation.c.revoked_at.is_(None),
        invitation.c.expires_at > now,
    )
