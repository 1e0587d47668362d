from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from syncline.runtime.connect.breaker import Breaker, BreakerSettings
from syncline.runtime.connect.errors import BreakerOpen


@dataclass
class Clock:
    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


def breaker() -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker("vendor", BreakerSettings(), clock), clock


def state(it: Breaker) -> str:
    """Read anew each time: a type checker takes a property for constant."""
    return it.state.value


def report(it: Breaker, *, ok: int = 0, failed: int = 0) -> None:
    for _ in range(ok):
        it.succeeded(it.allow())
    for _ in range(failed):
        it.failed(it.allow())


def opened() -> tuple[Breaker, Clock]:
    it, clock = breaker()
    report(it, failed=10)
    return it, clock


def test_opens_at_half_of_the_calls_of_a_full_window() -> None:
    it, _ = breaker()
    report(it, ok=5, failed=4)
    assert state(it) == "closed"
    report(it, failed=1)
    assert state(it) == "open"


def test_a_few_failures_alone_do_not_open_it() -> None:
    it, _ = breaker()
    report(it, failed=9)
    assert state(it) == "closed"


def test_failures_older_than_the_window_do_not_count() -> None:
    it, clock = breaker()
    report(it, failed=9)
    clock.at += 31
    report(it, failed=9)
    assert state(it) == "closed"
    assert it.counts() == (0, 9)


def test_open_refuses_and_says_how_long() -> None:
    it, clock = opened()
    clock.at += 12
    with pytest.raises(BreakerOpen) as caught:
        it.allow("lemlist")
    assert caught.value.wait == timedelta(seconds=18)
    assert caught.value.sentence.startswith("lemlist has been failing")


def test_after_half_a_minute_one_call_probes_and_its_success_closes() -> None:
    it, clock = opened()
    clock.at += 30
    assert state(it) == "half-open"
    permit = it.allow()
    with pytest.raises(BreakerOpen):
        it.allow()
    it.succeeded(permit)
    assert state(it) == "closed"
    assert it.counts() == (0, 0)


def test_failed_probe_opens_for_another_half_minute() -> None:
    it, clock = opened()
    clock.at += 30
    it.failed(it.allow())
    assert state(it) == "open"
    assert it.times_opened == 2
    clock.at += 29.9
    assert state(it) == "open"


def test_cancelled_probe_leaves_room_for_another() -> None:
    it, clock = opened()
    clock.at += 30
    it.abandoned(it.allow())
    it.succeeded(it.allow())
    assert state(it) == "closed"


def test_answer_of_a_call_made_before_it_opened_is_not_taken_for_the_probe() -> None:
    it, clock = breaker()
    early = it.allow()
    report(it, failed=10)
    clock.at += 30
    probe = it.allow()
    it.succeeded(early)
    assert state(it) == "half-open"
    it.failed(probe)
    assert state(it) == "open"


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=200))
def test_never_opens_while_less_than_half_of_the_window_failed(calls: list[tuple[bool, float]]) -> None:
    it, clock = breaker()
    log: list[tuple[float, bool]] = []
    for ok, pause in calls:
        clock.at += pause
        log.append((clock.at, ok))
        report(it, ok=ok, failed=not ok)
        # The window moves in steps of a bucket, so what it holds lies between these two.
        widest = [good for at, good in log if at > clock.at - 33]
        if state(it) == "open":
            assert not all(widest)
            assert len(widest) >= 10
            return


class BreakerMachine(RuleBasedStateMachine):
    """Whatever the order of calls, answers and time: it lets all through or one at most, and comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker, self.clock = breaker()
        self.pending: list[int] = []

    @rule()
    def call(self) -> None:
        if state(self.breaker) == "closed":
            self.pending.append(self.breaker.allow())
            return
        with suppress(BreakerOpen):
            self.pending.append(self.breaker.allow())

    @precondition(lambda self: self.pending)
    @rule(how=st.sampled_from(["succeeded", "failed", "abandoned"]), which=st.integers(0, 1000))
    def end(self, how: str, which: int) -> None:
        permit = self.pending.pop(which % len(self.pending))
        getattr(self.breaker, how)(permit)

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.clock.at += seconds

    @invariant()
    def one_probe_at_most(self) -> None:
        if state(self.breaker) == "half-open":
            assert sum(permit == self.breaker._era for permit in self.pending) <= 1

    @invariant()
    def comes_back(self) -> None:
        if state(self.breaker) == "open":
            assert 0 < self.breaker._cooling() <= 30


TestBreakerMachine = BreakerMachine.TestCase
