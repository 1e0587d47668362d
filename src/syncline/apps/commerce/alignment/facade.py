"""The part of the local `Commerce` that is about several stores of one tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncline.apps.commerce.alignment import service
from syncline.apps.commerce.alignment_contract import AlignedBy, Alignment
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import service as stores
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalAlignments:
    runtime: Runtime
    settings: CommerceSettings

    async def align_stores(
        self,
        *,
        actor: Actor,
        source: str,
        target: str,
        fields: Sequence[str],
        by: AlignedBy = AlignedBy.SKU,
        where: str = "",
        note: str | None = None,
    ) -> Alignment:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            here, there = await stores.get(session, source), await stores.get(session, target)
            await stores.hold(session, there.store)
            return await service.align(
                session,
                source=here.store,
                target=there.store,
                fields=fields,
                by=by,
                where=where,
                actor=actor,
                note=note,
            )
