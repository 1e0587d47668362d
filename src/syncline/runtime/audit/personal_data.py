"""`PersonalData` of the audit trail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from syncline.runtime.audit import particulars
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import Counts, Holding, Record, RetentionRule
from syncline.runtime.privacy.subject import Subject

_HOLDINGS = (
    Holding(
        "trail",
        "His name and network addresses in the audit trail",
        "forgotten: the entries stay, of “an erased person”, and the chain of hashes stays whole",
    ),
)


class TrailData:
    @property
    def holdings(self) -> Sequence[Holding]:
        return _HOLDINGS

    @property
    def rules(self) -> Sequence[RetentionRule]:
        return ()

    async def identify(self, session: Session, subject: Subject) -> Subject:
        del session
        return subject

    async def objections(self, session: Session, subject: Subject) -> Sequence[str]:
        del session, subject
        return ()

    async def export(self, session: Session, subject: Subject) -> AsyncIterator[Record]:
        for kind, value in await particulars.list_of(session, subject.user_ids):
            yield Record("trail", {"kind": kind, "value": value})

    async def erase(self, session: WriteSession, subject: Subject, *, keep_out: bool) -> Counts:
        del keep_out
        if not subject.user_ids:
            return {}
        return {"trail": await particulars.forget(session, subject.user_ids)}


TRAIL = TrailData()
