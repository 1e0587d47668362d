"""Event keys: what an event is known by, and what recording it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from syncline.kernel.tenant import Actor

DEFAULT_NAMESPACE: Final = "default"
"""Where an event belongs that names no namespace, and a campaign that no keyword matches."""


class EventIdentity(NamedTuple):
    """What makes an event this one and no other. Two events with the same identity are the same event.

    `timestamp_ms` (milliseconds since 1970) counts only where there is no `activity_id`; where there is neither, the
    other five are all there is.
    """

    platform: str
    campaign_id: str
    event_type: str
    email: str
    namespace: str = DEFAULT_NAMESPACE
    activity_id: str | None = None
    timestamp_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedKey:
    """`is_new` False: the event was recorded before. `collision_detected`: another event has this key; it stays, and
    this one was not recorded. That never happens by itself (128 bits), so somebody is paged."""

    event_key: str
    is_new: bool
    collision_detected: bool


@dataclass(frozen=True, slots=True)
class KeyStats:
    """Of the tenant since it was made, but for the last two, which are of the process that answers: `cache_size` counts
    what it keeps in memory, `generation_rate` the keys per second of its last minute."""

    total_generated: int
    collisions_detected: int
    invalid_inputs: int
    cache_size: int
    generation_rate: float

    @property
    def collision_rate(self) -> float:
        return self.collisions_detected / self.total_generated if self.total_generated else 0.0


class EventKeys(Protocol):
    async def generate_key(self, *, actor: Actor, identity: EventIdentity) -> RecordedKey:
        """The key of an event, recorded in `event_source`. Safe to repeat. Raises `EventKeyFailed`."""
        ...

    async def generate_keys(self, *, actor: Actor, identities: Sequence[EventIdentity]) -> Sequence[RecordedKey]:
        """The same of many events in one transaction, in their order: all of them or none."""
        ...

    async def count_invalid_key(self, *, actor: Actor) -> None:
        """One more that was refused, for the statistics."""
        ...

    async def key_stats(self, *, actor: Actor) -> KeyStats: ...

    async def clear_key_cache(self, *, actor: Actor) -> int:
        """Forgets what this process keeps in memory; answers how many entries. No key is lost by it."""
        ...
