"""`PersonalData` of outreach."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import select, update

from syncline.apps.outreach import personal_traces
from syncline.apps.outreach.events import privacy as events
from syncline.apps.outreach.namespaces.models import namespace
from syncline.apps.outreach.personal_addresses import spellings
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import Counts, Holding, Record, RetentionRule
from syncline.runtime.privacy.subject import Subject

_ERASED_PERSON = "an erased person"
_AUTHORED = Holding("authored_namespace", "His name on the namespaces he made", "becomes “an erased person”")
HOLDINGS = (events.HOLDING, events.KEPT_OUT, *personal_traces.HOLDINGS, _AUTHORED)


class OutreachData:
    @property
    def holdings(self) -> Sequence[Holding]:
        return HOLDINGS

    @property
    def rules(self) -> Sequence[RetentionRule]:
        return personal_traces.RULES

    async def identify(self, session: Session, subject: Subject) -> Subject:
        del session
        return subject

    async def objections(self, session: Session, subject: Subject) -> Sequence[str]:
        del session, subject
        return ()

    async def export(self, session: Session, subject: Subject) -> AsyncIterator[Record]:
        subject = subject.known_as(emails=await spellings(session, subject.emails))
        async for one in events.read_events(session, subject.emails):
            yield one
        async for one in personal_traces.read(session, subject):
            yield one
        made = select(namespace.c.name, namespace.c.created_at).where(
            namespace.c.tenant_id == session.tenant, namespace.c.created_by.in_(subject.names)
        )
        for row in await session.execute(made):
            yield Record(_AUTHORED.name, {"name": row.name, "created_at": row.created_at})

    async def erase(self, session: WriteSession, subject: Subject, *, keep_out: bool) -> Counts:
        if keep_out:
            await events.keep_out(session, subject.emails)  # written, not erased: it is not counted
        subject = subject.known_as(emails=await spellings(session, subject.emails))
        emptied = await events.forget(session, subject.emails)
        renamed = (
            update(namespace)
            .where(namespace.c.tenant_id == session.tenant, namespace.c.created_by.in_(subject.names))
            .values(created_by=_ERASED_PERSON)
        )
        authored = (await session.execute(renamed.returning(namespace.c.name))).all()
        traces = await personal_traces.erase(session, subject)
        return {
            events.HOLDING.name: emptied,
            **traces,
            _AUTHORED.name: len(authored),
        }


PERSONAL_DATA = OutreachData()
