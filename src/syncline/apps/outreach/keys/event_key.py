"""The key of an event: `{platform}_{campaign}_{type}_{activity}_{digest}`. No clock, no random number, no state.

`docs/reference/event-keys.md` is the specification, and has examples to check another implementation by.
"""

from __future__ import annotations

from hashlib import sha256
from string import ascii_uppercase, digits
from typing import Final, NamedTuple

from syncline.apps.outreach.contract import EventIdentity

READABLE_MOST: Final = 40
"""Characters of each readable part."""

_LOWER = bytes.maketrans(ascii_uppercase.encode(), ascii_uppercase.lower().encode())
_KEPT = f"{ascii_uppercase}{ascii_uppercase.lower()}{digits}".encode()
_DROPPED = bytes(byte for byte in range(256) if byte not in _KEPT)
_DIGEST_BYTES = 16


class Fingerprint(NamedTuple):
    """`hash` is the whole SHA-256 of the identity, of which the key shows the first half."""

    key: str
    hash: bytes


def fingerprint(identity: EventIdentity) -> Fingerprint:
    """Raises `UnicodeEncodeError` for half a character, which no database could hold either."""
    platform, campaign, event_type, _, _, activity, timestamp = identity
    found = sha256(canonical(identity)).digest()
    shown = activity if activity is not None else "" if timestamp is None else str(timestamp)
    key = b"_".join((_readable(platform), _readable(campaign), _readable(event_type), _readable(shown))).decode()
    return Fingerprint(f"{key}_{found[:_DIGEST_BYTES].hex()}", found)


def event_key(identity: EventIdentity) -> str:
    return fingerprint(identity).key


def canonical(identity: EventIdentity) -> bytes:
    """The identity as bytes, each part with its length before it, so that no two identities read alike: `a` + `bc` is
    not `ab` + `c`, and an activity that is called like a moment is not that moment."""
    platform, campaign, event_type = identity[0].encode(), identity[1].encode(), identity[2].encode()
    email, namespace = identity[3].lower().encode(), identity[4].encode()
    kind, last = _last(identity.activity_id, identity.timestamp_ms)
    return b"event-key/1 %d:%b,%d:%b,%d:%b,%d:%b,%d:%b,%b%d:%b," % (
        *(len(platform), platform),
        *(len(campaign), campaign),
        *(len(event_type), event_type),
        *(len(email), email),
        *(len(namespace), namespace),
        *(kind, len(last), last),
    )


def _last(activity_id: str | None, timestamp_ms: int | None) -> tuple[bytes, bytes]:
    if activity_id is not None:
        return b"a", activity_id.encode()
    return (b"n", b"") if timestamp_ms is None else (b"t", b"%d" % timestamp_ms)


def _readable(text: str) -> bytes:
    return text.encode("ascii", "ignore").translate(_LOWER, _DROPPED)[:READABLE_MOST]
