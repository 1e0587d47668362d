from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select, update

from syncline.apps.outreach.people.models import person
from syncline.runtime.db.session import Session, WriteSession


async def count(session: Session, namespaces: Sequence[str]) -> int:
    query = select(func.count(func.distinct(person.c.email))).where(person.c.tenant_id == session.tenant)
    if namespaces:
        query = query.where(person.c.namespace.in_(namespaces))
    return int(await session.scalar(query) or 0)


async def list_changed(session: Session, limit: int) -> Sequence[Row[Any]]:
    """People whom Attio does not know as they are here."""
    wanted = (person.c.tenant_id == session.tenant) & person.c.is_wanted & person.c.is_changed
    query = select(person).where(wanted, person.c.sentence.is_(None)).order_by(person.c.email, person.c.namespace)
    return (await session.execute(query.limit(limit))).all()


async def note(session: WriteSession, row: Row[Any], **values: Any) -> None:
    """What became of a person, unless something was heard of him since."""
    query = update(person).where(
        person.c.tenant_id == session.tenant,
        person.c.namespace == row.namespace,
        person.c.email == row.email,
        person.c.last_event_at == row.last_event_at,
    )
    await session.execute(query.values(**values))


async def list_page(session: Session, *, namespace: str, limit: int, offset: int) -> tuple[Sequence[Row[Any]], int]:
    mine = (person.c.tenant_id == session.tenant) & (person.c.namespace == namespace)
    query = select(person).where(mine).order_by(person.c.email).limit(limit).offset(offset)
    total = int(await session.scalar(select(func.count()).select_from(person).where(mine)) or 0)
    return (await session.execute(query)).all(), total


async def standing(session: Session) -> tuple[int, int, int]:
    """How many there are, how many wait for Attio, and how many it refused."""
    waiting = person.c.is_wanted & person.c.is_changed & person.c.sentence.is_(None)
    query = select(func.count(), func.count().filter(waiting), func.count(person.c.sentence)).where(
        person.c.tenant_id == session.tenant
    )
    row = (await session.execute(query)).one()
    return int(row[0]), int(row[1]), int(row[2])
