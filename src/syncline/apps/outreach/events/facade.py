"""The part of the local `Outreach` that makes event keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncline.apps.outreach.contract import EventIdentity, KeyStats, RecordedKey
from syncline.apps.outreach.events import repository, service
from syncline.apps.outreach.events.event import Event, EventSource
from syncline.apps.outreach.events.repository import Counted
from syncline.apps.outreach.namespaces import service as namespaces
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalEventKeys:
    runtime: Runtime

    async def generate_key(self, *, actor: Actor, identity: EventIdentity) -> RecordedKey:
        (made,) = await self.generate_keys(actor=actor, identities=[identity])
        return made

    async def generate_keys(self, *, actor: Actor, identities: Sequence[EventIdentity]) -> Sequence[RecordedKey]:
        events = [Event(identity, EventSource.KEY) for identity in identities]
        async with self.runtime.database.writing(actor.tenant_id) as session:
            for name in dict.fromkeys(identity.namespace for identity in identities):
                await namespaces.ensure(session, name, made_by=actor.name)
            found = await service.record(session, events)
            collided = sum(one.collision_detected for one in found)
            await repository.add_to_count(session, Counted(generated=len(found), collisions=collided))
        return found

    async def count_invalid_key(self, *, actor: Actor) -> None:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            await repository.add_to_count(session, Counted(invalid=1))

    async def key_stats(self, *, actor: Actor) -> KeyStats:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            counted = await repository.count(session)
        return KeyStats(
            total_generated=counted.generated,
            collisions_detected=counted.collisions,
            invalid_inputs=counted.invalid,
            cache_size=0,
            generation_rate=0.0,
        )

    async def clear_key_cache(self, *, actor: Actor) -> int:
        del actor
        return 0
