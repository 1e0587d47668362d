"""`PersonalData` of operations: whose mail address is told, and what the receipts quote."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from psycopg import sql
from sqlalchemy import delete, false, func, or_, select, update

from syncline.apps.operations.channels.models import channel
from syncline.apps.operations.contract import DeliveryStatus
from syncline.apps.operations.deliveries.models import delivery
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import Counts, Holding, Record, RetentionRule
from syncline.runtime.privacy.scrubbing import scrub_table
from syncline.runtime.privacy.subject import Subject

_ERASED_PERSON = "an erased person"
_OPEN = (DeliveryStatus.WAITING, DeliveryStatus.SENDING)
HOLDINGS = (
    Holding("channel", "A mail address that is told of the end of operations", "removed, with its receipts"),
    Holding("notification", "Notifications that quote his addresses", "his addresses are taken out of them"),
    Holding("authored_channel", "His name on the channels he made", "becomes “an erased person”"),
)


class OperationsData:
    @property
    def holdings(self) -> Sequence[Holding]:
        return HOLDINGS

    @property
    def rules(self) -> Sequence[RetentionRule]:
        return (RECEIPTS,)

    async def identify(self, session: Session, subject: Subject) -> Subject:
        del session
        return subject

    async def objections(self, session: Session, subject: Subject) -> Sequence[str]:
        del session, subject
        return ()

    async def export(self, session: Session, subject: Subject) -> AsyncIterator[Record]:
        mine = channel.c.tenant_id == session.tenant
        rows = await session.execute(select(channel).where(mine, func.lower(channel.c.target).in_(subject.emails)))
        for row in rows:
            yield Record("channel", {"name": row.name, "target": row.target, "created_at": row.created_at})
        names_him = or_(false(), *(delivery.c.text.icontains(term, autoescape=True) for term in sorted(subject.terms)))
        quoted = select(delivery).where(delivery.c.tenant_id == session.tenant, names_him)
        for row in await session.execute(quoted):
            yield Record("notification", {"subject": row.subject, "text": row.text, "created_at": row.created_at})
        named = select(channel).where(mine, channel.c.created_by.in_(subject.names))
        for row in await session.execute(named):
            yield Record("authored_channel", {"name": row.name, "created_at": row.created_at})

    async def erase(self, session: WriteSession, subject: Subject, *, keep_out: bool) -> Counts:
        del keep_out
        mine = channel.c.tenant_id == session.tenant
        his = delete(channel).where(mine, func.lower(channel.c.target).in_(subject.emails))
        removed = (await session.execute(his.returning(channel.c.id))).all()
        renamed = update(channel).where(mine, channel.c.created_by.in_(subject.names))
        authored = (await session.execute(renamed.values(created_by=_ERASED_PERSON).returning(channel.c.id))).all()
        quoted = await scrub_table(
            session,
            sql.Identifier("operations", "delivery"),
            key=["id"],
            texts=["subject", "text"],
            jsonb=["body"],
            where=sql.SQL("tenant_id = %s"),
            values=[session.tenant],
            terms=subject.terms,
        )
        return {"channel": len(removed), "notification": quoted, "authored_channel": len(authored)}


async def _count(session: Session, before: datetime) -> int:
    query = (
        select(func.count())
        .select_from(delivery)
        .where(delivery.c.tenant_id == session.tenant, delivery.c.created_at < before, delivery.c.status.not_in(_OPEN))
    )
    return int(await session.scalar(query) or 0)


async def _remove(session: WriteSession, before: datetime, limit: int) -> int:
    chosen = select(delivery.c.id).where(
        delivery.c.tenant_id == session.tenant, delivery.c.created_at < before, delivery.c.status.not_in(_OPEN)
    )
    query = delete(delivery).where(delivery.c.tenant_id == session.tenant, delivery.c.id.in_(chosen.limit(limit)))
    return len((await session.execute(query.returning(delivery.c.id))).all())


RECEIPTS = RetentionRule("operations.receipts", "Receipts of notifications", 90, _count, _remove)
PERSONAL_DATA = OperationsData()
