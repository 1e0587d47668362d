"""What a failed attempt means, without a database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.kernel.errors import Conflict, Fatal, InvalidInput, Retriable, Skippable, Unavailable
from syncline.runtime.jobs.retry import Again, GiveUp, RetryPolicy, judge, reason_of

POLICY = RetryPolicy()


@pytest.mark.parametrize("error", [Fatal("no"), Skippable("no"), InvalidInput("no"), Conflict("no")])
def test_what_a_person_must_mend_is_given_up_at_once(error: Exception) -> None:
    assert judge(error, 1, POLICY) == GiveUp("no")


@pytest.mark.parametrize("error", [OSError("x"), Unavailable("x"), Retriable("x")])
def test_what_may_pass_is_tried_again_with_jitter(error: Exception) -> None:
    verdict = judge(error, 1, POLICY, draw=lambda: 0.5)
    assert isinstance(verdict, Again)
    assert verdict.wait == timedelta(seconds=1)


def test_wait_that_the_vendor_named_is_the_least() -> None:
    error = Retriable("busy", wait=timedelta(seconds=30))
    assert judge(error, 1, POLICY, draw=lambda: 0) == Again(timedelta(seconds=30), "busy")
    assert judge(error, 1, POLICY, draw=lambda: 1) == Again(timedelta(seconds=32), "busy")


def test_last_attempt_is_given_up_whatever_the_error() -> None:
    assert isinstance(judge(Retriable("busy"), 8, POLICY), GiveUp)
    assert isinstance(judge(Retriable("busy"), 7, POLICY), Again)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_stays_between_zero_and_the_cap(attempt: int, drawn: float) -> None:
    assert timedelta(0) <= POLICY.backoff(attempt, lambda: drawn) <= POLICY.cap


def test_ceiling_doubles() -> None:
    waits = [POLICY.backoff(attempt, lambda: 1.0).total_seconds() for attempt in (1, 2, 3, 20)]
    assert waits == [2, 4, 8, 300]


def test_reason_is_the_sentence_without_the_internal_detail() -> None:
    assert reason_of(Fatal("The token was revoked.", detail="401 from the vendor")) == "The token was revoked."
    assert reason_of(ValueError("odd\0")) == "ValueError: odd�"
