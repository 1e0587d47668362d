"""The part of the local `Commerce` that is about making and deleting products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncline.apps.commerce.contract import ChangeBatch, Json
from syncline.apps.commerce.products import service
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import service as stores
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalProducts:
    runtime: Runtime
    settings: CommerceSettings

    async def stage_products(
        self, *, actor: Actor, store: str, products: Sequence[Json], note: str | None = None
    ) -> ChangeBatch:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await stores.get(session, store)
            await stores.hold(session, row.store)
            return await service.stage_making(session, store=row.store, products=products, actor=actor, note=note)

    async def stage_deletion(self, *, actor: Actor, store: str, where: str, note: str | None = None) -> ChangeBatch:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await stores.get(session, store)
            await stores.hold(session, row.store)
            return await service.stage_deletion(session, store=row.store, where=where, actor=actor, note=note)
