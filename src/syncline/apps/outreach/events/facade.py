"""The part of the local `Outreach` that makes event keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncline.apps.outreach.contract import EventIdentity, KeyStats, RecordedKey
from syncline.apps.outreach.events import repository
from syncline.apps.outreach.events.desk import KeyDesk
from syncline.apps.outreach.events.repository import Counted
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalEventKeys:
    runtime: Runtime
    desk: KeyDesk

    async def generate_key(self, *, actor: Actor, identity: EventIdentity) -> RecordedKey:
        (made,) = await self.desk.ask(actor, [identity])
        return made

    async def generate_keys(self, *, actor: Actor, identities: Sequence[EventIdentity]) -> Sequence[RecordedKey]:
        return await self.desk.ask(actor, identities)

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
            cache_size=self.desk.cache_size,
            generation_rate=self.desk.rate(actor.tenant_id),
        )

    async def clear_key_cache(self, *, actor: Actor) -> int:
        del actor
        return self.desk.clear()
