"""The part of the local `Commerce` that is about pushes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from syncline.apps.commerce.contract import PushRun
from syncline.apps.commerce.push import service
from syncline.apps.commerce.push.plan import service as plans
from syncline.apps.commerce.push_contract import EngineConfig, PushPlan
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import service as stores
from syncline.apps.commerce.stores.connection import client_of
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.controls.stops import require_open


@dataclass(frozen=True)
class LocalPushes:
    runtime: Runtime
    settings: CommerceSettings

    async def plan_push(
        self, *, actor: Actor, store: str, batch_id: UUID | None = None, config: EngineConfig | None = None
    ) -> PushPlan:
        checked = service.checked(config or EngineConfig())
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store)
            if batch_id is not None:
                await service.check_batch(session, row.store, batch_id)
        async with client_of(self.runtime, row) as client:
            facts = await stores.ask_client(client)
            bucket = replace(client.limiter.bucket, level=client.limiter.available)
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await plans.plan(
                session,
                store=row.store,
                batch_id=batch_id,
                config=checked,
                granted=facts.granted_scopes,
                bucket=bucket,
            )

    async def start_push(
        self, *, actor: Actor, store: str, batch_id: UUID | None = None, config: EngineConfig | None = None
    ) -> PushRun:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await stores.get(session, store)
            await require_open(session, store_id=row.store.id)
            run = await service.start(
                session, self.runtime.queue, store=row.store, batch_id=batch_id, actor=actor, config=config
            )
            return await service.view(session, run)

    async def get_push(self, *, actor: Actor, run_id: UUID) -> PushRun:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.get(session, run_id)

    async def pause_push(self, *, actor: Actor, run_id: UUID) -> PushRun:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.view(session, await service.pause(session, run_id))

    async def resume_push(self, *, actor: Actor, run_id: UUID) -> PushRun:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            run = await service.resume(session, self.runtime.queue, run_id)
            await require_open(session, store_id=run.store_id)
            return await service.view(session, run)

    async def stop_push(self, *, actor: Actor, run_id: UUID) -> PushRun:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.view(session, await service.stop(session, self.runtime.queue, run_id))

    async def list_pushes(
        self, *, actor: Actor, store: str | None = None, live_only: bool = False, limit: int = 20
    ) -> Sequence[PushRun]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store) if store is not None else None
            return await service.list_all(
                session, store=row.store if row is not None else None, live_only=live_only, limit=limit
            )
