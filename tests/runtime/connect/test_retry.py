from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.kernel.errors import Fatal, Retriable
from syncline.runtime.connect.deadline import Deadline
from syncline.runtime.connect.errors import BreakerOpen, NotProcessed, OutcomeUnknown, Throttled, VendorTrouble
from syncline.runtime.connect.retry import RetryPolicy, retrying
from syncline.runtime.connect.testing import FAST_RETRY


def failing(*errors: Exception) -> tuple[Callable[[int], Awaitable[str]], list[int]]:
    """A call that raises these in turn and then answers; and the attempts it saw."""
    left, seen = list(errors), list[int]()

    async def call(attempt: int) -> str:
        seen.append(attempt)
        if left:
            raise left.pop(0)
        return "done"

    return call, seen


@given(attempt=st.integers(1, 500), draw=st.floats(0, 1, exclude_max=True))
def test_wait_is_between_zero_and_the_doubled_base_and_never_over_the_cap(attempt: int, draw: float) -> None:
    policy = RetryPolicy(base=timedelta(seconds=1), cap=timedelta(seconds=30))
    seconds = policy.wait_seconds(attempt, None, lambda: draw)
    assert 0 <= seconds <= min(30, 2.0 ** min(attempt - 1, 10))


@given(asked=st.floats(0, 1000), draw=st.floats(0, 1, exclude_max=True))
def test_what_the_vendor_asks_for_is_the_least(asked: float, draw: float) -> None:
    seconds = RetryPolicy().wait_seconds(3, timedelta(seconds=asked), lambda: draw)
    assert asked - 1e-6 <= seconds <= 2 * asked + 1e-6


async def test_idempotent_call_is_repeated_until_it_answers() -> None:
    call, seen = failing(VendorTrouble("a"), Retriable("b"), Throttled("c"))
    assert await retrying(call, idempotent=True, policy=FAST_RETRY) == "done"
    assert seen == [1, 2, 3, 4]


async def test_last_failure_is_raised_when_tries_run_out() -> None:
    call, seen = failing(*[VendorTrouble(str(n)) for n in range(9)])
    with pytest.raises(VendorTrouble, match="3"):
        await retrying(call, idempotent=True, policy=FAST_RETRY)
    assert len(seen) == FAST_RETRY.attempts


async def test_fatal_is_not_repeated() -> None:
    call, seen = failing(Fatal("no"))
    with pytest.raises(Fatal):
        await retrying(call, idempotent=True, policy=FAST_RETRY)
    assert seen == [1]


async def test_write_that_may_stand_becomes_outcome_unknown_and_is_not_repeated() -> None:
    call, seen = failing(VendorTrouble("dropped", vendor_code="dropped"))
    with pytest.raises(OutcomeUnknown) as caught:
        await retrying(call, idempotent=False, policy=FAST_RETRY)
    assert seen == [1]
    assert caught.value.vendor_code == "dropped"


@pytest.mark.parametrize("proof", [NotProcessed("no connection"), Throttled("slower")])
async def test_write_that_was_proven_undone_is_repeated(proof: NotProcessed) -> None:
    call, seen = failing(proof)
    assert await retrying(call, idempotent=False, policy=FAST_RETRY) == "done"
    assert seen == [1, 2]


async def test_open_breaker_is_left_to_the_job_queue() -> None:
    call, seen = failing(BreakerOpen("open", wait=timedelta(seconds=30)))
    with pytest.raises(BreakerOpen):
        await retrying(call, idempotent=True, policy=FAST_RETRY)
    assert seen == [1]


async def test_no_wait_that_outlasts_the_deadline() -> None:
    call, seen = failing(Throttled("later", wait=timedelta(seconds=60)))
    with pytest.raises(Throttled):
        await retrying(call, idempotent=True, deadline=Deadline.after(timedelta(seconds=5)))
    assert seen == [1]


async def test_each_retry_is_told() -> None:
    told: list[tuple[int, str | None]] = []
    call, _ = failing(VendorTrouble("a", vendor_code="502"), VendorTrouble("b", vendor_code="timeout"))
    await retrying(
        call, idempotent=True, policy=FAST_RETRY, on_retry=lambda n, error, _: told.append((n, error.vendor_code))
    )
    assert told == [(1, "502"), (2, "timeout")]
