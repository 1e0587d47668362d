"""Records events under their keys, each once."""

from __future__ import annotations

import time
from collections.abc import Sequence

from syncline.apps.outreach.contract import EventKeyFailed, EventKeysCollided, RecordedKey
from syncline.apps.outreach.events import repository
from syncline.apps.outreach.events.event import Event
from syncline.apps.outreach.events.repository import Stored
from syncline.apps.outreach.keys.event_key import Fingerprint, fingerprint
from syncline.runtime.bus import publish
from syncline.runtime.db.session import WriteSession
from syncline.runtime.db.timings import TIMINGS, Kind
from syncline.runtime.observe.logs import get_logger
from syncline.runtime.observe.metrics import Counter

log = get_logger(__name__)

RECORDED = Counter("syncline_outreach_events_total", "Events that were recorded, or were there already.", ["outcome"])
COLLISIONS = Counter(
    "syncline_outreach_key_collisions_total", "Two different events that met on one key. One is one too many."
)
_TRIES = 3
_TOLD = 20


async def record(session: WriteSession, events: Sequence[Event]) -> list[RecordedKey]:
    """Each event's key, in their order; safe to repeat. What is there already is compared, and a different event under
    the same key is not recorded but reported.

    Raises `EventKeyFailed` when rows go away as often as they are looked at.
    """
    began = time.perf_counter()
    marked = [(event, fingerprint(event.identity)) for event in events]
    if not marked:
        return []
    new, stored = await _insert(session, marked)
    found = [_recorded(event, mark, new, stored) for event, mark in marked]
    await _report(session, found)
    if len(found) > 1:
        TIMINGS.note(Kind.BULK, time.perf_counter() - began, rows=len(found))
    return found


async def _insert(
    session: WriteSession, marked: Sequence[tuple[Event, Fingerprint]]
) -> tuple[set[str], dict[str, Stored]]:
    """The keys that are new, and what the others stand for."""
    new = await repository.insert(session, marked)
    stored: dict[str, Stored] = {}
    repeated = _repeated(marked, new)
    for _ in range(_TRIES):
        stored |= await repository.list_stored(session, repeated)
        gone = [one for one in marked if one[1].key in repeated - stored.keys()]
        if not gone:
            return new, stored
        # Somebody emptied the table between our two looks at it.
        new |= await repository.insert(session, gone)
    raise EventKeyFailed("The event was recorded and removed again while it was being checked. Try again.")


def _repeated(marked: Sequence[tuple[Event, Fingerprint]], new: set[str]) -> set[str]:
    """Keys to be compared: those that were there, and those of which there are two here."""
    seen: set[str] = set()
    twice: set[str] = set()
    for _, mark in marked:
        (twice if mark.key in seen else seen).add(mark.key)
    return (seen - new) | twice


def _recorded(event: Event, mark: Fingerprint, new: set[str], stored: dict[str, Stored]) -> RecordedKey:
    there = stored.get(mark.key)
    collides = there is not None and not _is_same(event, mark, there)
    is_new = mark.key in new and not collides
    if is_new:
        new.discard(mark.key)  # the second of two was there already
    return RecordedKey(mark.key, is_new=is_new, collision_detected=collides)


def _is_same(event: Event, mark: Fingerprint, there: Stored) -> bool:
    one = event.identity
    told = (one.platform, one.campaign_id, one.event_type, one.namespace, one.activity_id)
    kept = (there.platform, there.campaign_id, there.event_type, there.namespace, there.activity_id)
    # Beside an activity the moment is no part of the identity, and of somebody forgotten the address is not there.
    is_then = one.activity_id is not None or one.timestamp_ms == there.timestamp_ms
    is_his = there.email is None or there.email == one.email.lower()
    return told == kept and is_then and is_his and bytes(there.identity_hash) == mark.hash


async def _report(session: WriteSession, found: Sequence[RecordedKey]) -> None:
    new = sum(one.is_new for one in found)
    RECORDED.labels("new").inc(new)
    RECORDED.labels("known").inc(len(found) - new)
    collided = list(dict.fromkeys(one.event_key for one in found if one.collision_detected))
    if collided:
        COLLISIONS.inc(len(collided))
        log.error("different events have one key", event_keys=collided[:_TOLD], count=len(collided))
        await publish(session, EventKeysCollided(event_keys=tuple(collided[:_TOLD]), count=len(collided)))
