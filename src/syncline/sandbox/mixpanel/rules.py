"""What strict import refuses, field by field.

Source: docs.mixpanel.com/reference/import-events and /troubleshooting/errors, November 2026. Only the sentence about
seconds since epoch is printed there; the other sentences are ours in its manner, so nothing may rely on their words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from syncline.sandbox.mixpanel.records import Record

FORBIDDEN = frozenset({
    "00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined",
    "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}",
})  # fmt: skip
"""As distinct_id and as $insert_id."""
LONGEST_INSERT_ID = 36
LONGEST_STRING = 255
MOST_PROPERTIES = 255
DEEPEST = 3
LARGEST_EVENT = 1_000_000
"""Bytes of JSON."""
EARLIEST_MS = 31_536_000_000
"""1971-01-01."""
HOUR_MS = 3_600_000
_MILLISECONDS_FROM = 100_000_000_000
"""A time from here on is in milliseconds: as seconds it would be in the year 5138."""
_INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}")


@dataclass(frozen=True, slots=True)
class Failure:
    field: str
    message: str
    insert_id: str = ""


def judged(sent: Any, *, now_ms: int, future: str) -> Record | Failure:
    """The record to keep, or why it is refused. `future` is `reject` or `overwrite`: the documents say both of a time
    more than an hour ahead."""
    if not isinstance(sent, dict):
        return Failure("", "'event' is invalid: must be an object")
    event, properties = sent.get("event"), sent.get("properties")
    if not isinstance(event, str) or not event:
        return Failure("event", "'event' is invalid: must be a non-empty string")
    if not isinstance(properties, dict):
        return Failure("properties", "'properties' is invalid: must be an object")
    insert_id, distinct_id = properties.get("$insert_id"), properties.get("distinct_id")
    told = insert_id if isinstance(insert_id, str) else ""
    if not isinstance(insert_id, str) or not _INSERT_ID.fullmatch(insert_id) or insert_id.lower() in FORBIDDEN:
        sentence = "must be 1 to 36 alphanumeric characters or '-', and no placeholder"
        return Failure("properties.$insert_id", f"'properties.$insert_id' is invalid: {sentence}", told)
    if not isinstance(distinct_id, (str, int)) or str(distinct_id).lower() in FORBIDDEN:
        sentence = "must be a string that is no placeholder"
        return Failure("properties.distinct_id", f"'properties.distinct_id' is invalid: {sentence}", told)
    time_ms = as_milliseconds(properties.get("time"))
    if time_ms is None:
        sentence = "must be specified as seconds since epoch"
        return Failure("properties.time", f"'properties.time' is invalid: {sentence}", told)
    if time_ms < EARLIEST_MS or (time_ms > now_ms + HOUR_MS and future == "reject"):
        sentence = "must be after 1971-01-01 and at most one hour in the future"
        return Failure("properties.time", f"'properties.time' is invalid: {sentence}", told)
    failure = _too_much(properties)
    if failure is not None:
        return Failure(failure.field, failure.message, told)
    kept_ms = now_ms if time_ms > now_ms + HOUR_MS else time_ms
    return record(event, properties, str(distinct_id), kept_ms, insert_id)


def record(event: str, properties: dict[str, Any], distinct_id: str, time_ms: int, insert_id: str) -> Record:
    kept = {name: _cut(value) for name, value in properties.items() if name not in {"time", "token"}}
    kept["$insert_id"] = insert_id
    return Record(event, distinct_id, time_ms, insert_id, msgspec.json.encode(kept))


def as_milliseconds(time: Any) -> int | None:
    """Seconds, with or without a fraction, or milliseconds. None for what is no number."""
    if isinstance(time, bool) or not isinstance(time, (int, float)):
        return None
    return int(time) if time >= _MILLISECONDS_FROM else round(time * 1000)


def _too_much(properties: dict[str, Any]) -> Failure | None:
    if len(properties) >= MOST_PROPERTIES:
        return Failure("properties", "'properties' is invalid: must have fewer than 255 keys")
    if len(msgspec.json.encode(properties)) >= LARGEST_EVENT:
        return Failure("properties", "'properties' is invalid: must be smaller than 1MB")
    for name, value in properties.items():
        if not _is_small(value, 1):
            return Failure(
                f"properties.{name}", f"'properties.{name}' is invalid: too many or too deeply nested values"
            )
    return None


def _is_small(value: Any, depth: int) -> bool:
    if not isinstance(value, (dict, list)):
        return True
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else value
    return len(value) < MOST_PROPERTIES and depth <= DEEPEST and all(_is_small(one, depth + 1) for one in inner)


def _cut(value: Any) -> Any:
    return value[:LONGEST_STRING] if isinstance(value, str) else value
