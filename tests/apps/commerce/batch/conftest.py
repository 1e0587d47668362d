"""Bulk operations on a small shop whose mirror is up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from syncline.apps.commerce.batch_contract import BatchOperation, BatchRequest, BatchResults, BatchRun
from syncline.apps.commerce.contract import ChangeQuery, StagedChange
from syncline.kernel.paging import PageRequest

ALL = PageRequest(limit=100)


@dataclass
class Counter:
    """Whoever asks for bulk operations; `pulled` is the shop and its mirror."""

    pulled: Any

    @property
    def commerce(self) -> Any:
        return self.pulled.commerce

    @property
    def actor(self) -> Any:
        return self.pulled.actor

    def product(self, handle: str) -> int:
        return int(self.pulled.shop.store.find_product_by_handle(handle).id)

    def request(self, operation: str, updates: Mapping[str, Any], **more: Any) -> BatchRequest:
        asked = {"where": "", **more} if "product_ids" not in more else more
        return BatchRequest(store="demo", operation=BatchOperation(operation), updates=updates, **asked)

    async def start(self, operation: str, updates: Mapping[str, Any], **more: Any) -> BatchRun:
        request = self.request(operation, updates, **more)
        run: BatchRun = await self.commerce.start_batch(actor=self.actor, request=request)
        return run

    async def run(self, operation: str, updates: Mapping[str, Any], **more: Any) -> BatchRun:
        """To its end."""
        started = await self.start(operation, updates, **more)
        await self.pulled.work()
        return await self.get(started)

    async def get(self, run: BatchRun) -> BatchRun:
        found: BatchRun = await self.commerce.get_batch_run(actor=self.actor, run_id=run.id)
        return found

    async def results(self, run: BatchRun) -> BatchResults:
        found: BatchResults = await self.commerce.get_batch_results(actor=self.actor, run_id=run.id, page=ALL)
        return found

    async def changes(self, **query: Any) -> Sequence[StagedChange]:
        found = await self.commerce.list_changes(actor=self.actor, query=ChangeQuery(**query), page=ALL)
        items: Sequence[StagedChange] = found.items
        return items


@pytest.fixture
def counter(pulled: Any) -> Counter:
    return Counter(pulled)
