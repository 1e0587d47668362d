"""The part of the local `Commerce` that is about schedules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from syncline.apps.commerce.alignment_contract import AlignedBy
from syncline.apps.commerce.schedule_contract import Schedule, ScheduledAction
from syncline.apps.commerce.schedules import repository, service
from syncline.apps.commerce.schedules.aligning import kept
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import service as stores
from syncline.kernel import clock
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalSchedules:
    runtime: Runtime
    settings: CommerceSettings

    async def add_schedule(
        self, *, actor: Actor, store: str, action: ScheduledAction, timing: str, zone: str = "UTC"
    ) -> Schedule:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await stores.get(session, store)
            return await service.add(session, store=row.store, action=action, timing=timing, zone=zone, actor=actor)

    async def schedule_alignment(
        self,
        *,
        actor: Actor,
        source: str,
        target: str,
        fields: Sequence[str],
        timing: str,
        by: AlignedBy = AlignedBy.SKU,
        where: str = "",
        zone: str = "UTC",
    ) -> Schedule:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            here, there = await stores.get(session, source), await stores.get(session, target)
            alignment = kept(source=here.store, target=there.store, fields=fields, by=by, where=where)
            return await service.add(
                session,
                store=there.store,
                action=ScheduledAction.ALIGN,
                timing=timing,
                zone=zone,
                actor=actor,
                alignment=alignment,
            )

    async def list_schedules(self, *, actor: Actor, store: str | None = None) -> Sequence[Schedule]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store) if store is not None else None
            return await service.list_all(session, row.store.id if row is not None else None)

    async def change_schedule(
        self,
        *,
        actor: Actor,
        schedule_id: UUID,
        action: ScheduledAction | None = None,
        timing: str | None = None,
        zone: str | None = None,
        is_enabled: bool | None = None,
    ) -> Schedule:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.change(
                session, schedule_id, action=action, timing=timing, zone=zone, is_enabled=is_enabled
            )

    async def remove_schedule(self, *, actor: Actor, schedule_id: UUID) -> None:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            await service.remove(session, schedule_id)

    async def run_schedule(self, *, actor: Actor, schedule_id: UUID) -> Schedule:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.run_now(session, self.runtime.queue, schedule_id, actor=actor, settings=self.settings)

    async def schedule_lag(self) -> timedelta:
        async with self.runtime.database.system() as session:
            return await repository.find_lag(session, clock.now())
