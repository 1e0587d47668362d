"""The part of the local `Outreach` that watches routines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncline.apps.outreach.contract import RoutineState
from syncline.apps.outreach.routines import service
from syncline.apps.outreach.routines.registry import ROUTINES
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalRoutines:
    runtime: Runtime

    async def list_routines(self, *, actor: Actor) -> Sequence[RoutineState]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.list_states(session, ROUTINES)

    async def switch_routine(self, *, actor: Actor, name: str, is_enabled: bool) -> RoutineState:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.switch(session, service.named(ROUTINES, name), is_enabled=is_enabled)

    async def trigger_routine(self, *, actor: Actor, name: str) -> str:
        return await service.named(ROUTINES, name).start(self.runtime, actor)
