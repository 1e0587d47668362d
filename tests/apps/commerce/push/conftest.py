"""Staged, approved and pushed in one call each, and what the shop has seen of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from syncline.apps.commerce.contract import (
    ChangeBatch,
    ChangeQuery,
    ChangeStatus,
    PushRun,
    Receipt,
    Resolution,
    StagedChange,
)
from syncline.kernel.paging import PageRequest

PAGE = PageRequest()


@dataclass
class Desk:
    """Whoever stages and approves; `pulled` is the shop and its mirror."""

    pulled: Any

    @property
    def commerce(self) -> Any:
        return self.pulled.commerce

    @property
    def store(self) -> Any:
        """The shop's own memory: setting something in it is a merchant's edit."""
        return self.pulled.shop.store

    def variant(self, sku: str) -> Any:
        return self.pulled.shop.variant(sku)

    def product(self, handle: str) -> Any:
        return self.store.find_product_by_handle(handle)

    async def stage(self, where: str, *edits: str) -> ChangeBatch:
        batch: ChangeBatch = await self.commerce.stage_edit(
            actor=self.pulled.actor, store="demo", where=where, edits=edits
        )
        return batch

    async def approve(self, *batches: ChangeBatch) -> None:
        for batch in batches:
            await self.commerce.approve(actor=self.pulled.actor, query=ChangeQuery(batch_id=batch.id))

    async def staged(self, where: str, *edits: str) -> ChangeBatch:
        batch = await self.stage(where, *edits)
        await self.approve(batch)
        return batch

    async def push(self) -> PushRun:
        run: PushRun = await self.pulled.push()
        return run

    async def resolve(self, batch: ChangeBatch, resolution: Resolution) -> int:
        query = ChangeQuery(batch_id=batch.id, statuses=(ChangeStatus.CONFLICT,))
        moved: int = await self.commerce.resolve(actor=self.pulled.actor, query=query, resolution=resolution)
        return moved

    async def undo(self, batch: ChangeBatch, changes: Sequence[UUID] = ()) -> ChangeBatch:
        made: ChangeBatch = await self.commerce.stage_rollback(
            actor=self.pulled.actor, batch_id=batch.id, change_ids=changes
        )
        await self.approve(made)
        return made

    async def changes(self, batch: ChangeBatch) -> list[StagedChange]:
        page = await self.commerce.list_changes(
            actor=self.pulled.actor, query=ChangeQuery(batch_id=batch.id), page=PAGE
        )
        return list(page.items)

    async def change(self, batch: ChangeBatch) -> StagedChange:
        (only,) = await self.changes(batch)
        return only

    async def receipts(self, batch: ChangeBatch) -> list[Receipt]:
        page = await self.commerce.list_receipts(actor=self.pulled.actor, batch_id=batch.id, page=PAGE)
        return list(page.items)

    async def ledger(self) -> list[dict[str, Any]]:
        """The mutations the shop has applied."""
        async with httpx.AsyncClient() as http:
            entries = (await http.get(f"{self.pulled.shop.url}/sandbox/ledger")).json()["entries"]
        return [entry for entry in entries if entry["changes"]]

    async def fault(self, faults: str) -> None:
        async with httpx.AsyncClient() as http:
            (await http.post(f"{self.pulled.shop.url}/sandbox/faults", json={"faults": faults})).raise_for_status()


@pytest.fixture
def desk(pulled: Any) -> Desk:
    return Desk(pulled)
