"""The part of the local `Commerce` that helps people to decide together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from syncline.apps.accounts.contract import KeyRing, Member
from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus
from syncline.apps.commerce.contract.decisions import ChangeCounts, ChangeNote, CountBy, Selection
from syncline.apps.commerce.decisions import service
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.staging.service import known_query
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalDecisions:
    runtime: Runtime
    settings: CommerceSettings

    async def count_changes(
        self,
        *,
        actor: Actor,
        store: str | None = None,
        statuses: Sequence[ChangeStatus] = (),
        by: Sequence[CountBy] = (CountBy.STATUS,),
    ) -> ChangeCounts:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.count(session, store=store, statuses=statuses, by=by)

    async def select_changes(self, *, actor: Actor, query: ChangeQuery) -> Selection:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.make_selection(session, query, actor=actor)

    async def get_selection(self, *, actor: Actor, selection_id: UUID) -> Selection:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.get_selection(session, selection_id)

    async def add_note(self, *, actor: Actor, query: ChangeQuery, text: str) -> int:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.add_note(session, query, actor=actor, text=text)

    async def list_notes(self, *, actor: Actor, change_id: UUID) -> Sequence[ChangeNote]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.list_notes(session, change_id)

    async def assign(self, *, actor: Actor, query: ChangeQuery, assignee: str | None) -> int:
        """Who is meant is asked of the accounts before anything is locked."""
        async with self.runtime.database.reading(actor.tenant_id) as reading:
            await known_query(reading, query)
        found = None if assignee is None else await self._member(actor, assignee)
        async with self.runtime.database.writing(actor.tenant_id) as session:
            name, user_id = (found.name, found.user_id) if found is not None else (None, None)
            return await service.assign(session, query, actor=actor, name=name, user_id=user_id)

    async def _member(self, actor: Actor, email: str) -> Member | None:
        wanted = email.strip()
        members = await self.runtime.contract(KeyRing).list_members(tenant_id=actor.tenant_id)
        found = next((one for one in members if one.email.casefold() == wanted.casefold()), None)
        service.check_assignee(wanted, found.role if found is not None and not found.is_disabled else None)
        return found

    async def set_expiry(self, *, actor: Actor, query: ChangeQuery, at: datetime | None) -> int:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.set_expiry(session, query, at=at)
