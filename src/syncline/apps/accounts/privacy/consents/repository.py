from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.accounts.privacy.consents.models import consent, data_subject
from syncline.runtime.db.session import Session, WriteSession


async def ensure_subject(session: WriteSession, values: dict[str, Any]) -> UUID:
    """The row of this address or record, made when there is none."""
    await session.execute(insert(data_subject).values(**values).on_conflict_do_nothing())
    found = await find_subject(session, email_key=values["email_key"], record=values["record"])
    assert found is not None, "it was made a statement ago"
    subject_id: UUID = found.id
    return subject_id


async def find_subject(session: Session, *, email_key: str | None, record: str | None) -> Row[Any] | None:
    same = data_subject.c.email_key == email_key if email_key is not None else data_subject.c.record == record
    query = select(data_subject).where(data_subject.c.tenant_id == session.tenant, same)
    return (await session.execute(query)).one_or_none()


async def list_subjects(session: Session, *, email_keys: Sequence[str], records: Sequence[str]) -> Sequence[Row[Any]]:
    known = data_subject.c.email_key.in_(email_keys) | data_subject.c.record.in_(records)
    query = select(data_subject).where(data_subject.c.tenant_id == session.tenant, known)
    return (await session.execute(query)).all()


async def list_not_for_sale(session: Session, email_keys: Sequence[str]) -> Sequence[str]:
    query = select(data_subject.c.email_key).where(
        data_subject.c.tenant_id == session.tenant,
        data_subject.c.email_key.in_(email_keys),
        data_subject.c.may_not_be_sold,
    )
    return [key for key in await session.scalars(query) if key is not None]


async def set_sale(session: WriteSession, subject_id: UUID, *, may_not_be_sold: bool) -> None:
    query = update(data_subject).where(data_subject.c.tenant_id == session.tenant, data_subject.c.id == subject_id)
    await session.execute(query.values(may_not_be_sold=may_not_be_sold))


async def forget_subjects(session: WriteSession, ids: Sequence[UUID], at: datetime) -> int:
    """The history stays, and says of nobody any more that it is his."""
    query = (
        update(data_subject)
        .where(data_subject.c.tenant_id == session.tenant, data_subject.c.id.in_(ids))
        .values(email_key=None, record=None, erased_at=at)
    )
    return len((await session.execute(query.returning(data_subject.c.id))).all())


async def insert_consent(session: WriteSession, values: dict[str, Any]) -> Row[Any]:
    return (await session.execute(consent.insert().values(**values).returning(*consent.c))).one()


async def list_consents(session: Session, subject_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """Newest first."""
    query = (
        select(consent)
        .where(consent.c.tenant_id == session.tenant, consent.c.subject_id.in_(subject_ids))
        .order_by(consent.c.at.desc(), consent.c.id.desc())
    )
    return (await session.execute(query)).all()
