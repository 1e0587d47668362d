"""Circuit breaker: stops calling an upstream that fails more than half of the time, and probes it after a while.

Ours, because none of the kept libraries opens on a percentage over a rolling window. No I/O and no tasks: the caller
asks `allow()` for a permit before a call and hands it to `succeeded()`, `failed()` or `abandoned()` after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from syncline.runtime.connect.errors import BreakerOpen


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """`timeout` is how long one attempt may take before it counts as failed; the client enforces it."""

    timeout: timedelta = timedelta(seconds=10)
    window: timedelta = timedelta(seconds=30)
    buckets: int = 10
    minimum_calls: int = 10
    error_ratio: float = 0.5
    cool_down: timedelta = timedelta(seconds=30)


@dataclass(slots=True)
class _Bucket:
    number: int
    ok: int = 0
    failed: int = 0


@dataclass(slots=True)
class Breaker:
    """One upstream of one store. Closed: everything passes. Open: nothing, for `cool_down`. Half-open: one call at a
    time passes; its success closes the breaker, its failure opens it again."""

    name: str
    settings: BreakerSettings = field(default_factory=BreakerSettings)
    clock: Callable[[], float] = time.monotonic
    on_change: Callable[[Breaker, BreakerState], None] | None = None
    """Told at each change of state; half-open is told when the first call tries."""

    times_opened: int = 0
    opened_after: tuple[int, int] = (0, 0)
    """Calls in the window when it last opened, and how many of them had failed."""

    _buckets: list[_Bucket] = field(default_factory=list)
    _opened_at: float | None = None
    _probing: bool = False
    # Counts changes of state, so that the answer of a call made before the last change is not taken for the probe's.
    _era: int = 0

    @property
    def state(self) -> BreakerState:
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._cooling() > 0 else BreakerState.HALF_OPEN

    def allow(self, shown: str | None = None) -> int:
        """A permit for one call; raises `BreakerOpen` with the time to wait when none may be made now. `shown` is what
        people call the upstream."""
        state = self.state
        if state is BreakerState.HALF_OPEN and not self._probing:
            self._probing = True
            self._era += 1
            self._tell(BreakerState.HALF_OPEN)
        elif state is not BreakerState.CLOSED:
            # While a probe is under way its answer comes within the attempt time-out.
            raise BreakerOpen(
                f"{shown or self.name} has been failing; Syncline pauses calls to it and tries again by itself.",
                vendor_code="breaker_open",
                wait=timedelta(seconds=self._cooling()) or self.settings.timeout,
            )
        return self._era

    def succeeded(self, permit: int) -> None:
        if permit != self._era:
            return
        if self._probing:
            self._opened_at, self._probing = None, False
            self._era += 1
            self._tell(BreakerState.CLOSED)
        else:
            self._bucket().ok += 1

    def failed(self, permit: int) -> None:
        if permit != self._era:
            return
        if self._probing:
            self._open()
            return
        self._bucket().failed += 1
        if self._should_open():
            self._open()

    def abandoned(self, permit: int) -> None:
        """The caller was cancelled: the call says nothing about the upstream, and a probe may be made by another."""
        if permit == self._era:
            self._probing = False

    def counts(self) -> tuple[int, int]:
        """Successes and failures inside the window."""
        oldest = self._number() - self.settings.buckets
        live = [b for b in self._buckets if b.number > oldest]
        return sum(b.ok for b in live), sum(b.failed for b in live)

    def _cooling(self) -> float:
        opened = self._opened_at if self._opened_at is not None else self.clock()
        return max(0.0, opened + self.settings.cool_down.total_seconds() - self.clock())

    def _number(self) -> int:
        return int(self.clock() / (self.settings.window.total_seconds() / self.settings.buckets))

    def _bucket(self) -> _Bucket:
        number = self._number()
        if not self._buckets or self._buckets[-1].number != number:
            oldest = number - self.settings.buckets
            self._buckets = [b for b in self._buckets if b.number > oldest]
            self._buckets.append(_Bucket(number))
        return self._buckets[-1]

    def _should_open(self) -> bool:
        ok, failed = self.counts()
        total = ok + failed
        return total >= self.settings.minimum_calls and failed >= self.settings.error_ratio * total

    def _open(self) -> None:
        self._opened_at = self.clock()
        self._probing = False
        self._era += 1
        self.times_opened += 1
        ok, failed = self.counts()
        self.opened_after = (ok + failed, failed)
        self._buckets.clear()
        self._tell(BreakerState.OPEN)

    def _tell(self, state: BreakerState) -> None:
        if self.on_change is not None:
            self.on_change(self, state)
