from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update

from syncline.apps.accounts.mail.models import outgoing_mail
from syncline.runtime.db.session import Session, WriteSession


async def insert_mail(session: WriteSession, values: dict[str, Any]) -> None:
    await session.execute(outgoing_mail.insert().values(**values))


async def find_mail(session: Session, mail_id: UUID) -> Row[Any] | None:
    return (await session.execute(select(outgoing_mail).where(outgoing_mail.c.id == mail_id))).one_or_none()


async def update_mail(session: WriteSession, mail_id: UUID, values: dict[str, Any]) -> None:
    await session.execute(update(outgoing_mail).where(outgoing_mail.c.id == mail_id).values(**values))


async def list_mails(session: Session, *, limit: int) -> Sequence[Row[Any]]:
    """Newest first."""
    return (await session.execute(select(outgoing_mail).order_by(outgoing_mail.c.id.desc()).limit(limit))).all()


async def delete_mails(session: WriteSession, *, before: datetime) -> None:
    await session.execute(delete(outgoing_mail).where(outgoing_mail.c.created_at < before))
