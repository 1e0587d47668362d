"""Many staged changes of a pulled store, and members who may be asked to decide about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from syncline.apps.accounts.contract import KeyRing, Member
from syncline.apps.commerce.contract import ChangeQuery, StagedChange
from syncline.apps.commerce.contract.decisions import ChangeCounts, CountBy
from syncline.apps.commerce.staging import repository, tally
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.staging.repository import Proposal
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.db.engine import Database


def member(email: str, role: str, *, is_disabled: bool = False) -> Member:
    name = email.partition("@")[0].title()
    joined = datetime(2026, 1, 1, tzinfo=UTC)
    return Member(new_id(), name, email, True, role, joined, "the owner", is_disabled)


@dataclass
class Members:
    """Stands for the accounts: answers who belongs to one tenant."""

    tenant_id: TenantId
    found: Sequence[Member]

    async def list_members(self, *, tenant_id: TenantId) -> Sequence[Member]:
        return self.found if tenant_id == self.tenant_id else ()


@dataclass
class Table:
    """Whoever stages and decides; `pulled` is the shop and its mirror."""

    pulled: Any
    store_id: UUID

    @property
    def commerce(self) -> Any:
        return self.pulled.commerce

    @property
    def actor(self) -> Actor:
        actor: Actor = self.pulled.actor
        return actor

    @property
    def database(self) -> Database:
        database: Database = self.commerce.runtime.database
        return database

    def named(self, name: str, role: str = "approver") -> Actor:
        return replace(self.actor, name=name, role=role)

    def product(self, handle: str) -> int:
        return int(self.pulled.shop.store.find_product_by_handle(handle).id)

    async def stage(self, count: int, handle: str = "linen-shirt", *, note: str | None = None) -> UUID:
        """A batch of so many pending changes of variants of one product."""
        async with self.database.writing(self.actor.tenant_id) as session:
            return await self.stage_in(session, count, handle, note=note)

    async def stage_in(self, session: Any, count: int, handle: str = "linen-shirt", *, note: str | None = None) -> UUID:
        batch_id = await repository.add_batch(
            session, store_id=self.store_id, kind="edit", summary="made up", author=self.named("ada")
        )
        product = self.product(handle)
        proposals = (
            Proposal("variant", number, product, f"Variant {number}", {"price": "1.00"}, {"price": "2.00"})
            for number in range(count)
        )
        await repository.add_changes(
            session, batch_id=batch_id, store_id=self.store_id, author="ada", note=note, proposals=proposals
        )
        return batch_id

    async def approve(self, *, by: str = "grace", note: str | None = None, **query: Any) -> int:
        done = await self.commerce.approve(actor=self.named(by), query=ChangeQuery(**query), note=note)
        return int(done.changed)

    async def changes(self, **query: Any) -> Sequence[StagedChange]:
        found = await self.commerce.list_changes(
            actor=self.actor, query=ChangeQuery(**query), page=PageRequest(limit=1000)
        )
        changes: Sequence[StagedChange] = found.items
        return changes

    async def counts(self, *by: CountBy, **more: Any) -> ChangeCounts:
        found: ChangeCounts = await self.commerce.count_changes(actor=self.actor, by=by or tuple(CountBy), **more)
        return found

    async def looked_at(self) -> dict[tuple[str, ...], int]:
        """The same counts, from the changes themselves."""
        names = ("kind", "vendor", "status")
        columns = [staged_change.c[name] for name in names]
        query = select(*columns, func.count()).where(staged_change.c.tenant_id == self.actor.tenant_id)
        async with self.database.reading(self.actor.tenant_id) as session:
            rows = (await session.execute(query.group_by(*columns))).all()
        return {("demo", *row[:-1]): row[-1] for row in rows}

    async def counted(self) -> dict[tuple[str, ...], int]:
        found = await self.counts()
        return {(str(one.store), str(one.kind), str(one.vendor), str(one.status)): one.changes for one in found.groups}

    async def fold(self) -> None:
        async with self.database.writing(self.actor.tenant_id) as session:
            await tally.fold(session, most=0)


@pytest.fixture
async def table(pulled: Any) -> Table:
    found = await pulled.commerce.overview(actor=pulled.actor, store="demo")
    people = [member("grace@example.com", "approver"), member("eve@example.com", "viewer")]
    people.append(member("gone@example.com", "approver", is_disabled=True))
    pulled.commerce.runtime.contracts[KeyRing] = Members(pulled.actor.tenant_id, people)
    return Table(pulled, found.store.id)
