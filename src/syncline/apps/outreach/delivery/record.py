"""What Mixpanel is sent for an event. Pure, and the same for the same event for ever: reports know a record again by
event, distinct_id, time and $insert_id together, so each of the four is decided once, when the event is first stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

INSERT_ID_LENGTH = 36
# docs.mixpanel.com, "Import Events", November 2026: events with one of these are refused.
FORBIDDEN = frozenset({
    "00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined",
    "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}",
})  # fmt: skip
_OURS = frozenset({"time", "distinct_id", "$insert_id"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event on its way; `facts` are its further properties."""

    key: str
    event: str
    distinct_id: str
    at_ms: int
    insert_id: str
    facts: Mapping[str, Any]

    @property
    def day(self) -> date:
        return datetime.fromtimestamp(self.at_ms / 1000, UTC).date()

    @property
    def mark(self) -> tuple[str, str, int, str]:
        """What Mixpanel's reports know it by: event, distinct_id, time and $insert_id."""
        return self.event, self.distinct_id, self.at_ms, self.insert_id

    def record(self) -> dict[str, Any]:
        facts = {name: value for name, value in self.facts.items() if name not in _OURS}
        own = {"time": self.at_ms, "distinct_id": self.distinct_id, "$insert_id": self.insert_id}
        return {"event": self.event, "properties": {**facts, **own}}


def insert_id(key: str) -> str:
    """At most 36 letters, digits and dashes: 180 bits of a digest of the key. A key itself has underscores, and is
    longer."""
    return hashlib.blake2b(key.encode(), digest_size=32, person=b"syncline.mixpanl").hexdigest()[:INSERT_ID_LENGTH]


def distinct_id(email: str) -> str:
    """The address in lower case: with capitals Mixpanel would count a second person."""
    return email.strip().lower()
