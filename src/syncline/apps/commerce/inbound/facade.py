"""The part of the local `Commerce` that is about changes made in the store itself."""

from __future__ import annotations

from dataclasses import dataclass

from syncline.apps.commerce.contract import Store, StoreReview
from syncline.apps.commerce.inbound import service
from syncline.apps.commerce.settings import CommerceSettings
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalInbound:
    runtime: Runtime
    settings: CommerceSettings

    async def set_store_review(self, *, actor: Actor, store: str, review: StoreReview) -> Store:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.set_review(session, store=store, review=review)
