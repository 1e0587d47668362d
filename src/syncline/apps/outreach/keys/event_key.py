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
_DIGEST_DIGITS = 32


class Fingerprint(NamedTuple):
    """`hash` is the whole SHA-256 of the identity, of which the key shows the first half."""

    key: str
    hash: bytes


def fingerprint(identity: EventIdentity) -> Fingerprint:
    """Raises `UnicodeEncodeError` for half a character, which no database could hold either."""
    platform, campaign, event_type, email, namespace, kind, last = _parts(identity)
    found = sha256(_canonical(platform, campaign, event_type, email, namespace, kind, last)).digest()
    # In UTF-8 every byte of a character beyond ASCII is beyond ASCII too, and so left out with it.
    shown = b"%b_%b_%b_%b_" % (
        platform.translate(_LOWER, _DROPPED)[:READABLE_MOST],
        campaign.translate(_LOWER, _DROPPED)[:READABLE_MOST],
        event_type.translate(_LOWER, _DROPPED)[:READABLE_MOST],
        last.translate(_LOWER, _DROPPED)[:READABLE_MOST],
    )
    return Fingerprint(shown.decode() + found.hex()[:_DIGEST_DIGITS], found)


def event_key(identity: EventIdentity) -> str:
    return fingerprint(identity).key


def canonical(identity: EventIdentity) -> bytes:
    """The identity as bytes, each part with its length before it, so that no two identities read alike: `a` + `bc` is
    not `ab` + `c`, and an activity that is called like a moment is not that moment."""
    return _canonical(*_parts(identity))


def _parts(identity: EventIdentity) -> tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]:
    """Each in UTF-8, and the last with what it is."""
    platform, campaign, event_type, email, namespace, activity, timestamp = identity
    if activity is not None:
        kind, last = b"a", activity.encode()
    elif timestamp is not None:
        kind, last = b"t", b"%d" % timestamp
    else:
        kind, last = b"n", b""
    return (
        platform.encode(),
        campaign.encode(),
        event_type.encode(),
        email.lower().encode(),
        namespace.encode(),
        kind,
        last,
    )


def _canonical(
    platform: bytes, campaign: bytes, event_type: bytes, email: bytes, namespace: bytes, kind: bytes, last: bytes
) -> bytes:
    # fmt: off
    return b"event-key/1 %d:%b,%d:%b,%d:%b,%d:%b,%d:%b,%b%d:%b," % (
        len(platform), platform, len(campaign), campaign, len(event_type), event_type,
        len(email), email, len(namespace), namespace, kind, len(last), last,
    )
    # fmt: on
