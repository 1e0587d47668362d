"""The part of the local `Commerce` that takes stores away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syncline.apps.commerce.contract import StoreRemoval
from syncline.apps.commerce.removal import service
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import service as stores
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalRemoval:
    runtime: Runtime
    settings: CommerceSettings

    async def remove_store(
        self,
        *,
        actor: Actor,
        store: str,
        dry_run: bool = False,
        progress: Callable[[str, int], None] | None = None,
    ) -> StoreRemoval:
        database = self.runtime.database
        if dry_run:
            async with database.reading(actor.tenant_id) as session:
                return await service.preview(session, (await stores.get(session, store)).store)
        async with database.writing(actor.tenant_id) as session:
            row = await stores.get(session, store)
            gone = await service.remove(session, self.runtime.queue, row.store, actor=actor)
        if progress is not None:
            await service.remove_rows(database, actor.tenant_id, gone.store.id, progress)
        return gone
