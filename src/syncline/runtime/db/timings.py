"""How long this process' own statements took lately, as whoever waited for them saw it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from psycopg import AsyncCursor

SLOW_SECONDS = 0.1
"""The average query is to stay below it, so one that does not is counted as slow."""

_SLOT_SECONDS = 10.0
_SLOTS = 30
# Sent with every transaction; it would make every average look good.
_OURS = ("SELECT set_config", "SELECT 1")


class Kind(StrEnum):
    SELECT = "select"
    INSERT = "insert"
    BULK = "bulk"
    """Many rows by one call, noted by whoever makes it; its statements are counted as such besides."""


@dataclass(slots=True)
class Taken:
    """`rows` are those of bulk calls; of a statement it is one."""

    count: int = 0
    seconds: float = 0.0
    slow: int = 0
    rows: int = 0

    def add(self, other: Taken) -> None:
        self.count += other.count
        self.seconds += other.seconds
        self.slow += other.slow
        self.rows += other.rows

    @property
    def average_ms(self) -> float:
        return self.seconds / self.count * 1000 if self.count else 0.0


@dataclass(slots=True)
class _Slot:
    begins: float
    taken: dict[Kind, Taken] = field(default_factory=dict)


class Timings:
    """Of the last five minutes. Takes the room of thirty short lists, however many statements there are."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slots: deque[_Slot] = deque(maxlen=_SLOTS)

    def note(self, kind: Kind, seconds: float, *, rows: int = 1) -> None:
        now = self._clock()
        if not self._slots or now - self._slots[-1].begins >= _SLOT_SECONDS:
            self._slots.append(_Slot(now))
        one = Taken(1, seconds, int(seconds > SLOW_SECONDS), rows)
        self._slots[-1].taken.setdefault(kind, Taken()).add(one)

    def taken(self, kind: Kind) -> Taken:
        oldest = self._clock() - _SLOTS * _SLOT_SECONDS
        found = Taken()
        for slot in self._slots:
            if slot.begins >= oldest and kind in slot.taken:
                found.add(slot.taken[kind])
        return found


TIMINGS = Timings()
"""Of this process."""


class TimedCursor(AsyncCursor[Any]):
    """Notes in `TIMINGS` what its statements took. Those that fail are not counted."""

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        began = time.perf_counter()
        done = await super().execute(query, params, **options)
        kind = kind_of(query)
        if kind is not None:
            TIMINGS.note(kind, time.perf_counter() - began)
        return done


def kind_of(query: object) -> Kind | None:
    """None for what is neither, is our own, or is not written as text."""
    if not isinstance(query, str):
        return None
    start = query[:40].lstrip()
    if start.startswith(_OURS):
        return None
    word = start[:6].upper()
    return Kind.SELECT if word == "SELECT" else Kind.INSERT if word == "INSERT" else None
