"""The part of the local `Commerce` that is about bulk operations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from syncline.apps.commerce.batch import repository, service
from syncline.apps.commerce.batch_contract import BatchPreview, BatchRequest, BatchResults, BatchRun
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import service as stores
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalBatches:
    runtime: Runtime
    settings: CommerceSettings

    async def preview_batch(self, *, actor: Actor, request: BatchRequest) -> BatchPreview:
        async with self.runtime.database.reading_still(actor.tenant_id) as session:
            row = await stores.get(session, request.store)
            return await service.preview(session, row.store, request, self.settings)

    async def start_batch(self, *, actor: Actor, request: BatchRequest) -> BatchRun:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await stores.get(session, request.store)
            return await service.start(
                session,
                self.runtime.queue,
                store=row.store,
                request=replace(request, store=row.store.name),
                actor=actor,
                settings=self.settings,
            )

    async def get_batch_run(self, *, actor: Actor, run_id: UUID) -> BatchRun:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.get(session, run_id)

    async def cancel_batch(self, *, actor: Actor, run_id: UUID) -> BatchRun:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.cancel(session, run_id)

    async def retry_batch(self, *, actor: Actor, run_id: UUID) -> BatchRun:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.retry(session, self.runtime.queue, run_id, actor=actor, settings=self.settings)

    async def list_batch_runs(self, *, actor: Actor, store: str | None, page: PageRequest) -> Page[BatchRun]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store) if store is not None else None
            return await repository.list_views(session, row.store.id if row is not None else None, page)

    async def get_batch_results(self, *, actor: Actor, run_id: UUID, page: PageRequest) -> BatchResults:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.results(session, run_id, page)
