"""A pulled store under inbound review, and a merchant who edits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from syncline.apps.commerce.contract import ChangeBatch, ChangeQuery, StagedChange, StoreReview
from syncline.kernel.paging import PageRequest


@dataclass
class Table:
    """Whoever reviews; `pulled` is the shop and its mirror."""

    pulled: Any

    @property
    def commerce(self) -> Any:
        return self.pulled.commerce

    @property
    def actor(self) -> Any:
        return self.pulled.actor

    @property
    def shop(self) -> Any:
        """The shop's own memory: setting something in it is a merchant's edit."""
        return self.pulled.shop.store

    async def review(self, review: StoreReview) -> None:
        await self.commerce.set_store_review(actor=self.actor, store="demo", review=review)

    def edit(self, handle: str = "linen-shirt", **fields: Any) -> None:
        self.shop.update_product(self.shop.find_product_by_handle(handle), **fields)

    def reprice(self, sku: str, price: str) -> None:
        self.shop.update_variant(self.pulled.shop.variant(sku), price=price)

    def price(self, sku: str) -> str:
        return str(self.pulled.shop.variant(sku).price)

    async def changes(self, search: str = "direction:inbound", **query: Any) -> Sequence[StagedChange]:
        found = await self.commerce.list_changes(
            actor=self.actor, query=ChangeQuery(search=search, **query), page=PageRequest(limit=100)
        )
        changes: Sequence[StagedChange] = found.items
        return changes

    async def pending(self) -> Sequence[StagedChange]:
        return await self.changes("direction:inbound status:pending")

    async def batches(self, kind: str) -> list[ChangeBatch]:
        found = await self.commerce.list_batches(actor=self.actor, store="demo", page=PageRequest())
        return [batch for batch in found.items if batch.kind == kind]

    async def approve(self, **query: Any) -> int:
        done = await self.commerce.approve(actor=self.actor, query=ChangeQuery(**query))
        return int(done.changed)

    async def reject(self, **query: Any) -> int:
        done = await self.commerce.reject(actor=self.actor, query=ChangeQuery(**query), note="not agreed")
        return int(done.changed)

    async def held(self, where: str) -> int:
        """How many products of the mirror match: an edit of all that do would stage so many."""
        batch = await self.commerce.stage_edit(actor=self.actor, store="demo", where=where, edits=["tags=+looked-at"])
        counted = int(sum(batch.counts.values()))
        await self.commerce.reject(actor=self.actor, query=ChangeQuery(batch_id=batch.id))
        return counted


@pytest.fixture
async def table(pulled: Any) -> Table:
    made = Table(pulled)
    await made.review(StoreReview.INBOUND)
    return made
