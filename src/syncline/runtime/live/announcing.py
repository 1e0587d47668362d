"""Saying what an operation does, in the transaction that does it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from typing import Any

from syncline.runtime.db.session import WriteSession
from syncline.runtime.live import messages
from syncline.runtime.live.message import Level, MessageType, Operation

LEAST_SECONDS_BETWEEN = 1.0
"""Progress is said so often at most: a person reads no faster, and each message is two small writes."""

_TIDY_EVERY = 500
_LONGEST_SENTENCE = 2_000
_said = itertools.count(1)


async def announce(
    session: WriteSession,
    operation: Operation,
    kind: MessageType,
    data: Mapping[str, Any],
    *,
    part: str = "",
    level: Level = Level.INFO,
) -> None:
    """Heard by watchers once the caller's transaction commits, and not at all if it does not. `data` is small and can
    be written as JSON."""
    await messages.add(
        session, room=operation.room, store=operation.store, kind=kind, part=part, level=level, data=data
    )
    if next(_said) % _TIDY_EVERY == 0:
        await messages.forget(session)


async def log_line(
    session: WriteSession, operation: Operation, sentence: str, *, level: Level = Level.INFO, **facts: Any
) -> None:
    """A line of the operation's log: a sentence for a person, with `facts` for programs."""
    await announce(session, operation, MessageType.LOG, {"message": sentence[:_LONGEST_SENTENCE], **facts}, level=level)


class Pace:
    """Says whether enough time has passed since the last time it said yes."""

    def __init__(self, seconds: float = LEAST_SECONDS_BETWEEN) -> None:
        self._seconds = seconds
        self._next = 0.0

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
