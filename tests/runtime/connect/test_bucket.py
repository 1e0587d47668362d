"""The belief about a bucket against a model of the vendor's, in virtual time."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from syncline.runtime.connect.bucket import Bucket


@dataclass
class VendorBucket:
    """Admits by requested cost and charges the actual one when the call ends, as Shopify does."""

    capacity: float
    rate: float
    level: float = 0.0
    at: float = 0.0
    refused: int = 0
    charged: float = 0.0
    overflowed: float = 0.0

    def tick(self, at: float) -> None:
        grown = self.level + (at - self.at) * self.rate
        self.level, self.at = min(self.capacity, grown), at
        self.overflowed += grown - self.level

    def admit(self, requested: float, at: float) -> bool:
        self.tick(at)
        if requested > self.level:
            self.refused += 1
            return False
        self.level -= requested
        return True

    def end(self, requested: float, actual: float, at: float) -> float:
        self.tick(at)
        self.level = min(self.capacity, self.level + requested - actual)
        self.charged += actual
        return float(int(self.level))


@dataclass(frozen=True)
class Event:
    at: float
    what: Callable[["Event"], None]
    requested: float
    actual: float
    mark: float
    work: float
    back: float
    reported: float = 0.0
    order: int = 0

    def __lt__(self, other: "Event") -> bool:
        return (self.at, self.order) < (other.at, other.order)


Call = tuple[float, float, float, float, float]
"""Requested cost, the part of it that is charged, seconds there, seconds of work, seconds back."""


class World:
    """Our belief and the vendor's truth, with calls on their way there and back."""

    def __init__(self, start: float) -> None:
        self.vendor = VendorBucket(2000, 100, level=start)
        self.ours = Bucket(2000, 100, level=start, at=0)
        self.now, self.under_way, self._order = 0.0, 0, 0
        self._queue: list[Event] = []

    def run(self, calls: list[Call], parallel: int) -> VendorBucket:
        """Sends `calls` in order as early as the belief allows, never more than `parallel` at once."""
        waiting = list(calls)
        while waiting or self._queue:
            if waiting and self.under_way < parallel and self._pass_time_until_sendable(waiting[0][0]):
                self._send(*waiting.pop(0))
            else:
                self._next_event()
        self.vendor.tick(self.now)
        return self.vendor

    def _pass_time_until_sendable(self, cost: float) -> bool:
        pause = self.ours.seconds_until(cost, self.now)
        if pause and self._queue and self.now + pause > self._queue[0].at:
            return False
        self.now += pause + (1e-9 if pause else 0)
        return self.ours.seconds_until(cost, self.now) == 0

    def _send(self, requested: float, part: float, there: float, work: float, back: float) -> None:
        mark = self.ours.take(requested, self.now)
        self.under_way += 1
        self._later(Event(self.now + there, self._arrive, requested, requested * part, mark, work, back))

    def _next_event(self) -> None:
        if self._queue:
            event = heapq.heappop(self._queue)
            self.now = max(self.now, event.at)
            event.what(event)

    def _arrive(self, call: Event) -> None:
        assert self.vendor.admit(call.requested, call.at), "the vendor refused a planned call"
        self._later(replace(call, at=call.at + call.work, what=self._end))

    def _end(self, call: Event) -> None:
        reported = self.vendor.end(call.requested, call.actual, call.at)
        self._later(replace(call, at=call.at + call.back, what=self._answer, reported=reported))

    def _answer(self, call: Event) -> None:
        self.ours.settle(call.requested, call.actual, self.now)
        self.ours.reported(call.reported, self.now, mark=call.mark, actual=call.actual)
        self.under_way -= 1

    def _later(self, event: Event) -> None:
        self._order += 1
        heapq.heappush(self._queue, replace(event, order=self._order))


CALL = st.tuples(st.floats(1, 1000), st.floats(0, 1), st.floats(0, 2), st.floats(0, 2), st.floats(0, 2))


@given(st.lists(CALL, max_size=60), st.floats(0, 2000), st.integers(1, 8))
def test_alone_at_the_bucket_nothing_planned_is_refused(calls: list[Call], start: float, parallel: int) -> None:
    assert World(start).run(calls, parallel).refused == 0


def test_a_busy_client_leaves_nothing_to_run_over() -> None:
    vendor = World(2000).run([(563, 0.3, 0.02, 0.02, 0.02)] * 300, parallel=4)
    spent = vendor.charged / (2000 + 100 * vendor.at)
    assert vendor.refused == 0
    assert spent > 0.95


@given(st.floats(0, 2000), st.floats(0, 100))
def test_less_than_believed_means_that_somebody_else_drinks(available: float, later: float) -> None:
    ours = Bucket(2000, 100, level=2000, at=0)
    mark = ours.take(10, 0)
    ours.settle(10, 10, 0)
    ours.reported(available, 0, mark=mark, actual=10)
    assert ours.now(0) <= available
    assert ours.now(later) <= available + 100 * later + 1e-6


def test_calls_under_way_are_not_counted_twice() -> None:
    ours = Bucket(2000, 100, level=2000, at=0)
    mark = ours.take(500, 0)
    ours.take(500, 0)
    ours.settle(500, 500, 0)
    ours.reported(1000, 0, mark=mark, actual=500)
    assert ours.now(0) == 1000


def test_a_lost_charge_is_corrected_by_the_next_report() -> None:
    ours = Bucket(2000, 100, level=1000, at=0)
    ours.take(500, 0)
    ours.settle(500, 500, 0)
    mark = ours.take(10, 0)
    ours.settle(10, 10, 0)
    ours.reported(990, 0, mark=mark, actual=10)
    assert ours.now(0) == 990


def test_late_report_does_not_hide_a_call_that_it_could_not_know() -> None:
    ours = Bucket(2000, 100, level=1000, at=0)
    early = ours.take(1, 0)
    other = ours.take(900, 0)
    ours.settle(900, 900, 0)
    ours.reported(100, 0, mark=other, actual=900)
    ours.settle(1, 1, 0)
    ours.reported(999, 0, mark=early, actual=1)
    assert ours.now(0) <= 100


def test_plan_change_is_taken_over() -> None:
    ours = Bucket(2000, 100, level=2000, at=0)
    mark = ours.take(10, 0)
    ours.resize(4000, 200)
    ours.settle(10, 10, 0)
    ours.reported(3990, 0, mark=mark, actual=10)
    assert ours.now(0) == 3990
    assert ours.now(0.05) == 4000
