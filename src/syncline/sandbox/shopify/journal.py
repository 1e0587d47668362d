"""What all of a store's tables share: the clock, new ids, the revision and the event log."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime
from typing import Any

from syncline.kernel import clock
from syncline.sandbox.shopify.entities import Event
from syncline.sandbox.shopify.ordering import Orderings, added, orderings

FIRST_IDS = {
    "product": 7_000_000_000_001,
    "option": 9_000_000_000_001,
    "variant": 41_000_000_000_001,
    "item": 43_000_000_000_001,
    "location": 61_000_000_001,
    "level": 98_000_000_001,
    "event": 164_000_000_000_001,
    "order": 5_500_000_000_001,
    "line": 14_000_000_000_001,
    "refund": 900_000_000_001,
    "refund_line": 390_000_000_001,
    "fulfillment": 5_100_000_000_001,
    "transaction": 6_700_000_000_001,
    "customer": 7_100_000_000_001,
    "address": 9_800_000_000_001,
    "collection": 480_000_000_001,
    "media": 38_000_000_000_001,
    "metafield": 39_000_000_000_001,
}
FIRST_ORDER_NUMBER = 1001


class Journal:
    """Every change bumps `revision`; creations and deletions may be written to the event log."""

    def __init__(self) -> None:
        self.revision = 0
        self.events: list[Event] = []
        self.event_orders: Orderings[Event] = orderings(
            lambda: self.events, ID=lambda event: event.id, CREATED_AT=lambda event: event.created_at
        )
        self._next = dict(FIRST_IDS)
        self.listener: Callable[[str, Any], None] | None = None
        """Hears of every change as a webhook topic and the entity it happened to."""

    def tell(self, topic: str, entity: Any) -> None:
        if self.listener is not None:
            self.listener(topic, entity)

    def now(self) -> datetime:
        return clock.now().replace(microsecond=0)

    def next_id(self, kind: str) -> int:
        number = self._next[kind]
        self._next[kind] = number + 1
        return number

    def log(self, action: str, subject_type: str, subject_id: int, message: str) -> None:
        event = Event(self.next_id("event"), action, subject_type, subject_id, self.now(), message)
        self.events.append(event)
        added(self.event_orders, event)

    def find_event(self, number: int) -> Event | None:
        at = bisect_left(self.events, number, key=lambda event: event.id)
        return self.events[at] if at < len(self.events) and self.events[at].id == number else None
