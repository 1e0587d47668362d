"""The part of the local `Commerce` that is about integrity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncline.apps.commerce.integrity.service import check_store
from syncline.apps.commerce.integrity_contract import IntegrityFinding
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import service as stores
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalIntegrity:
    runtime: Runtime
    settings: CommerceSettings

    async def check_integrity(self, *, actor: Actor, store: str) -> Sequence[IntegrityFinding]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store)
            return await check_store(session, row.store)
