"""Identifiers. UUIDv7 (RFC 9562): unique without a coordinator and sorted by time, so index pages stay warm."""

from __future__ import annotations

import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last_ms = 0
_sequence = 0


def new_id() -> UUID:
    """A UUIDv7. Within one process ids strictly increase, also when many are made in one millisecond
    (RFC 9562 section 6.2, method 1: the 12 `rand_a` bits are a counter)."""
    global _last_ms, _sequence  # noqa: PLW0603 - the counter of this process
    with _lock:
        ms = time.time_ns() // 1_000_000
        if ms > _last_ms:
            _last_ms, _sequence = ms, secrets.randbits(8)
        else:
            _sequence += 1
            if _sequence > 0xFFF:
                _last_ms, _sequence = _last_ms + 1, 0
        ms, sequence = _last_ms, _sequence
    return UUID(int=(ms << 80) | (0x7 << 76) | (sequence << 64) | (0b10 << 62) | secrets.randbits(62))
