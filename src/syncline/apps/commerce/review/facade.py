"""The part of the local `Commerce` that is about who may approve."""

from __future__ import annotations

from dataclasses import dataclass

from syncline.apps.commerce.review import service
from syncline.apps.commerce.review_contract import ReviewRule
from syncline.apps.commerce.settings import CommerceSettings
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalReviewing:
    runtime: Runtime
    settings: CommerceSettings

    async def get_review_rule(self, *, actor: Actor) -> ReviewRule:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.get_rule(session, self.settings)

    async def set_review_rule(
        self, *, actor: Actor, four_eyes: bool | None = None, expire_after_days: int | None = None
    ) -> ReviewRule:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.set_rule(
                session, self.settings, actor=actor, four_eyes=four_eyes, expire_after_days=expire_after_days
            )
