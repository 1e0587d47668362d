"""Plans calls by a vendor's cost limits, so that it runs at the edge of the bucket without being refused."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from syncline.kernel.errors import Fatal
from syncline.runtime.connect.bucket import Bucket


@dataclass(frozen=True, slots=True)
class CostReport:
    """What one answer says about the bucket, in points. `actual` is None when the call was refused."""

    requested: float
    actual: float | None
    available: float
    capacity: float
    restore_rate: float


@dataclass(slots=True)
class LimiterStats:
    """Counts since start. `points` were charged for calls with a known actual cost."""

    calls: int = 0
    throttled: int = 0
    points: float = 0.0
    waited_seconds: float = 0.0


@dataclass(slots=True)
class _Waiter:
    cost: float
    granted: asyncio.Future[float]


class Reservation:
    """Points set aside for one call under way. Exactly one of its methods ends it; leaving it unended is a leak."""

    def __init__(self, limiter: CostLimiter, cost: float, mark: float) -> None:
        self._limiter = limiter
        self._mark = mark
        self.cost = cost
        self.is_open = True

    def settle(self, report: CostReport) -> None:
        """The vendor answered with its cost report; for a THROTTLED answer nothing was charged."""
        self._end(report.actual or 0.0, report)

    def charge(self) -> None:
        """The call ended without a report: it may have been charged in full. The next report corrects this."""
        self._end(self.cost, None)

    def give_back(self) -> None:
        """The call was never sent, or refused before it cost anything."""
        self._end(0.0, None)

    def _end(self, actual: float, report: CostReport | None) -> None:
        if self.is_open:
            self.is_open = False
            self._limiter._ended(self.cost, actual, report, self._mark)  # noqa: SLF001 - the other half of this class


class CostLimiter:
    """First come, first served: a costly call at the head is not overtaken by cheap ones behind it.

    One instance belongs to one bucket (app and store) in one process and one event loop. Other clients of the same
    bucket are noticed by the vendor's reports; what they took shows as less available than believed.
    """

    def __init__(
        self,
        *,
        capacity: float,
        restore_rate: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.bucket = Bucket(capacity, restore_rate, level=capacity, at=clock())
        self.stats = LimiterStats()
        self._queue: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def available(self) -> float:
        """Points we believe could be spent now."""
        return self.bucket.now(self._clock())

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def seconds_until(self, cost: float) -> float:
        """How long until a call of `cost` could be sent behind those that wait already; 0 if now."""
        ahead = sum(waiter.cost for waiter in self._queue)
        return self.bucket.seconds_until(cost + ahead, self._clock())

    async def reserve(self, cost: float, *, again: bool = False) -> Reservation:
        """Waits until a call of `cost` points may be sent. `again` puts a refused call back at the head of the queue.

        Raises `Fatal` if the bucket can never hold that much.
        """
        if cost > self.bucket.capacity:
            raise Fatal(
                "One call asks for more than the store's plan allows at once; use a smaller page or a bulk operation.",
                detail=f"cost {cost:g} of a bucket of {self.bucket.capacity:g}",
                vendor_code="cost_over_capacity",
            )
        waiter = _Waiter(cost, asyncio.get_running_loop().create_future())
        if again:
            self._queue.appendleft(waiter)
        else:
            self._queue.append(waiter)
        started = self._clock()
        self._pump()
        try:
            mark = await waiter.granted
        except asyncio.CancelledError:
            self._withdraw(waiter)
            raise
        self.stats.calls += 1
        self.stats.waited_seconds += self._clock() - started
        return Reservation(self, cost, mark)

    def _withdraw(self, waiter: _Waiter) -> None:
        if waiter in self._queue:
            self._queue.remove(waiter)
            self._pump()
        elif waiter.granted.done() and not waiter.granted.cancelled():
            # Granted in the same turn of the loop in which the caller was cancelled: nothing was sent.
            self._ended(waiter.cost, 0.0, None, 0.0)

    def _ended(self, cost: float, actual: float, report: CostReport | None, mark: float) -> None:
        at = self._clock()
        if report is not None:
            self.bucket.resize(report.capacity, report.restore_rate)
        self.bucket.settle(cost, actual, at)
        if report is not None:
            self.bucket.reported(report.available, at, mark=mark, actual=actual)
            self.stats.points += report.actual or 0.0
            self.stats.throttled += report.actual is None
        self._pump()

    def _pump(self) -> None:
        """Grants from the head while there is enough, and sets one timer for the first that must wait."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            head = self._queue[0]
            if head.granted.done():
                self._queue.popleft()
                continue
            at = self._clock()
            seconds = self.bucket.seconds_until(head.cost, at)
            if seconds > 0:
                self._timer = asyncio.get_running_loop().call_later(seconds, self._pump)
                return
            self._queue.popleft()
            head.granted.set_result(self.bucket.take(head.cost, at))
