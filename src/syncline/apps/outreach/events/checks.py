"""What a caller tells of an event, checked field by field: the identity it names, or what is wrong with it.

Nothing is cleaned: two events that were told apart by what was taken off would have met on one key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from syncline.apps.outreach.contract import DEFAULT_NAMESPACE, BadEventKey, EventIdentity
from syncline.apps.outreach.namespaces.matching import NAME_RULE, is_name
from syncline.kernel.email_address import is_email
from syncline.kernel.errors import FieldError

PLATFORMS: Final = ("lemlist", "smartlead")
BATCH_MOST: Final = 1_000
LONGEST: Final = 200

_FIELDS = frozenset({"platform", "campaignId", "eventType", "email", "activityId", "timestamp", "namespace"})
_NEEDED = ("platform", "campaignId", "eventType", "email")
_FORBIDDEN = re.compile(r"""['"`\\;]|--|/\*|\*/""")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS, _LAST_MS = 946_684_800_000, 4_102_444_800_000
_TOLD = 10
"""As many wrong fields are named; the rest is counted."""


def identity_of(told: object) -> EventIdentity:
    """Raises `BadEventKey`."""
    wrong: list[FieldError] = []
    identity = _read(told, "", wrong)
    if identity is None:
        raise _refusal(wrong)
    return identity


def identities_of(told: object) -> list[EventIdentity]:
    """Of `{"events": [...]}`, with between 1 and 1,000 of them. Raises `BadEventKey`."""
    whole = told if isinstance(told, Mapping) else {}
    events = whole.get("events")
    if not isinstance(events, list) or not 1 <= len(events) <= BATCH_MOST:
        raise _refusal([FieldError("events", f"must be a list of 1 to {BATCH_MOST:,} events")])
    wrong = [FieldError(_named(name), "is not known here; “events” is all") for name in whole if name != "events"]
    found = [_read(one, f"events[{number}]", wrong) for number, one in enumerate(events)]
    if wrong:
        raise _refusal(wrong)
    return [one for one in found if one is not None]


def _refusal(wrong: Sequence[FieldError]) -> BadEventKey:
    named = "; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in wrong[:3])
    more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
    return BadEventKey(f"The event cannot have a key: {named}{more}.", fields=wrong[:_TOLD])


def _read(told: object, where: str, wrong: list[FieldError]) -> EventIdentity | None:
    """None when something was added to `wrong`."""
    if not isinstance(told, Mapping):
        wrong.append(FieldError(where, "must be a JSON object with the fields of one event"))
        return None
    before, prefix = len(wrong), f"{where}." if where else ""

    def refuse(field: str, rule: str | None) -> None:
        if rule is not None:
            wrong.append(FieldError(f"{prefix}{field}", rule))

    for name in told.keys() - _FIELDS:
        refuse(_named(name), f"is not known; the fields are {', '.join(sorted(_FIELDS))}")
    present = {name: value for name, value in told.items() if value is not None}
    for name in _NEEDED:
        refuse(name, None if name in present else "is missing")
    for name, check in _CHECKS.items():
        refuse(name, check(present[name]) if name in present else None)
    return _identity(present) if len(wrong) == before else None


def _identity(told: Mapping[str, Any]) -> EventIdentity:
    return EventIdentity(
        platform=told["platform"],
        campaign_id=str(told["campaignId"]),
        event_type=told["eventType"],
        email=told["email"],
        namespace=told.get("namespace", DEFAULT_NAMESPACE),
        activity_id=str(told["activityId"]) if "activityId" in told else None,
        timestamp_ms=_milliseconds(told["timestamp"]) if "timestamp" in told else None,
    )


def _named(told: object) -> str:
    """A field nobody knows, so that its sender knows it again; short, and without what could break a line."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(told)[:80])


def _platform(value: object) -> str | None:
    return None if value in PLATFORMS else f"must be {' or '.join(PLATFORMS)}"


def _id(value: object) -> str | None:
    # Smartlead numbers its campaigns; JSON's true is an int to Python.
    if isinstance(value, int) and not isinstance(value, bool):
        return None if 0 <= value < 2**63 else "must be a whole number from 0 to 2^63 - 1"
    return _words(value) if isinstance(value, str) else "must be text or a whole number"


def _words(value: object) -> str | None:
    if not isinstance(value, str):
        return "must be text"
    if not value or len(value) > LONGEST:
        return f"must have 1 to {LONGEST} characters, and has {len(value):,}"
    if not value.isprintable() or value != value.strip():
        return "must be printable characters, without blanks at its ends"
    if _FORBIDDEN.search(value):
        return "must not hold quotes, backslashes, semicolons or the comment marks -- and /* */"
    return None


def _email(value: object) -> str | None:
    is_right = isinstance(value, str) and value.isprintable() and is_email(value)
    return None if is_right else "must be an e-mail address like ada@example.com"


def _namespace(value: object) -> str | None:
    return None if isinstance(value, str) and is_name(value) else NAME_RULE


def _timestamp(value: object) -> str | None:
    rule = "must be when it happened, as ISO 8601 with a time zone or in milliseconds since 1970, from 2000 to 2100"
    moment = _milliseconds(value)
    return None if moment is not None and _FIRST_MS <= moment < _LAST_MS else rule


def _milliseconds(value: object) -> int | None:
    """None for what is no moment."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if moment.tzinfo is None else (moment - _EPOCH) // timedelta(milliseconds=1)


_CHECKS = {
    "platform": _platform,
    "campaignId": _id,
    "eventType": _words,
    "email": _email,
    "activityId": _id,
    "timestamp": _timestamp,
    "namespace": _namespace,
}
