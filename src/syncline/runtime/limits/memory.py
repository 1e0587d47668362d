"""Counts kept in this process: for an installation of one process, and while the shared ones are out of reach."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from syncline.runtime.limits.counting import Verdict, of_bucket, of_window
from syncline.runtime.limits.policy import SLOTS, Rate

V = TypeVar("V")

MOST_KEYS = 100_000
"""A flood of addresses must not fill the memory; beyond it the count longest untouched is forgotten."""


@dataclass(slots=True)
class _Window:
    slots: deque[tuple[int, int]] = field(default_factory=deque)
    used: int = 0


class MemoryCounts:
    """One event loop's counts. `clock` is seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_keys: int = MOST_KEYS) -> None:
        self._clock = clock
        self._most_keys = most_keys
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._full_at: OrderedDict[str, float] = OrderedDict()

    async def take(self, key: str, rate: Rate) -> Verdict:
        now = self._clock()
        return self._from_window(key, rate, now) if rate.burst is None else self._from_bucket(key, rate, now)

    async def forget(self, key: str) -> None:
        self._windows.pop(key, None)
        self._full_at.pop(key, None)

    async def close(self) -> None:
        self._windows.clear()
        self._full_at.clear()

    def _from_window(self, key: str, rate: Rate, now: float) -> Verdict:
        window = self._windows.setdefault(key, _Window())
        _touch(self._windows, key, self._most_keys)
        width = rate.seconds / SLOTS
        slot = int(now // width)
        while window.slots and window.slots[0][0] < slot - SLOTS:
            window.used -= window.slots.popleft()[1]
        allowed = window.used < rate.count
        if allowed:
            last = window.slots.pop()[1] if window.slots and window.slots[-1][0] == slot else 0
            window.slots.append((slot, last + 1))
            window.used += 1
        # A slot leaves the window when the whole period has passed since its end.
        leaves_in = [(one + SLOTS + 1) * width - now for one in (window.slots[0][0], window.slots[-1][0])]
        retry_in = leaves_in[0] if window.used >= rate.count else 0.0
        return of_window(rate, window.used, allowed=allowed, whole_in=leaves_in[1], retry_in=retry_in)

    def _from_bucket(self, key: str, rate: Rate, now: float) -> Verdict:
        one = rate.seconds / rate.count
        debt = max(0.0, self._full_at.get(key, now) - now)
        allowed = debt + one <= rate.most * one + 1e-6
        if allowed:
            debt += one
            self._full_at[key] = now + debt
            _touch(self._full_at, key, self._most_keys)
        return of_bucket(rate, debt, allowed=allowed)


def _touch(counts: OrderedDict[str, V], key: str, most: int) -> None:
    counts.move_to_end(key)
    if len(counts) > most:
        counts.popitem(last=False)
