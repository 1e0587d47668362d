"""What Mixpanel is sent for an event. Pure, and the same for the same event for ever: reports know a record again by
event, distinct_id, time and $insert_id together, so each of the four is decided once, when the event is first stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
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

    def record(self) -> dict[str, Any]:
        facts = {name: value for name, value in self.facts.items() if name not in _OURS}
        own = {"time": self.at_ms, "distinct_id": self.distinct_id, "$insert_id": self.insert_id}
        return {"event": self.event, "properties": {**facts, **own}}


Fingerprint = tuple[str, str, int, str]
"""What Mixpanel's reports know a record by: event, distinct_id, time in milliseconds, $insert_id."""


def insert_id(key: str) -> str:
    """At most 36 letters, digits and dashes: 180 bits of a digest of the key. A key itself has underscores, and is
    longer."""
    return hashlib.blake2b(key.encode(), digest_size=32, person=b"syncline.mixpanl").hexdigest()[:INSERT_ID_LENGTH]


def fingerprint(record: Mapping[str, Any]) -> Fingerprint:
    """Of a record as the raw export tells it, with its time in milliseconds."""
    told = record.get("properties", {})
    return (
        str(record.get("event", "")),
        str(told.get("distinct_id", "")),
        int(told.get("time", 0)),
        str(told.get("$insert_id", "")),
    )


def arrived(sent: Sequence[Outgoing], exported: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Keys of what the export has, and of what it has not."""
    there = {fingerprint(record) for record in exported}
    found, missing = list[str](), list[str]()
    for one in sent:
        (found if (one.event, one.distinct_id, one.at_ms, one.insert_id) in there else missing).append(one.key)
    return found, missing


def distinct_id(email: str) -> str:
    """The address in lower case: with capitals Mixpanel would count a second person."""
    return email.strip().lower()
