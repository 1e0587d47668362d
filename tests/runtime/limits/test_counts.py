"""One suite for both stores of counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncline.kernel.ids import new_id
from syncline.runtime.limits.counting import CountStore
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import Rate

MINUTE = timedelta(minutes=1)


class Turned(Protocol):
    now: float

    def __call__(self) -> float: ...
    def forward(self, seconds: float) -> None: ...


@pytest.fixture
def key() -> str:
    return new_id().hex


async def taken(counts: CountStore, key: str, rate: Rate, times: int) -> list[bool]:
    return [(await counts.take(key, rate)).allowed for _ in range(times)]


async def test_a_window_refuses_the_one_after_the_last(counts: CountStore, key: str) -> None:
    assert await taken(counts, key, Rate(3, MINUTE), 5) == [True, True, True, False, False]


async def test_a_verdict_tells_what_is_left_and_when_to_come_again(counts: CountStore, key: str) -> None:
    first = await counts.take(key, Rate(2, MINUTE))
    second = await counts.take(key, Rate(2, MINUTE))
    third = await counts.take(key, Rate(2, MINUTE))
    assert [one.remaining for one in (first, second, third)] == [1, 0, 0]
    assert [one.limit for one in (first, second, third)] == [2, 2, 2]
    assert first.retry_in == 0
    assert 60 <= third.retry_in <= 62
    assert third.whole_in == pytest.approx(third.retry_in)


async def test_a_window_opens_again_when_its_period_has_passed(counts: CountStore, key: str, clock: Turned) -> None:
    await taken(counts, key, Rate(2, MINUTE), 2)
    refused = await counts.take(key, Rate(2, MINUTE))
    clock.forward(refused.retry_in - 0.01)
    assert not (await counts.take(key, Rate(2, MINUTE))).allowed
    clock.forward(0.02)
    assert await taken(counts, key, Rate(2, MINUTE), 3) == [True, True, False]


async def test_what_was_refused_is_not_counted(counts: CountStore, key: str, clock: Turned) -> None:
    await taken(counts, key, Rate(1, MINUTE), 1)
    for _ in range(5):
        clock.forward(10)
        await counts.take(key, Rate(1, MINUTE))
    clock.forward(13)
    assert (await counts.take(key, Rate(1, MINUTE))).allowed


async def test_a_bucket_gives_its_burst_and_then_its_rate(counts: CountStore, key: str, clock: Turned) -> None:
    rate = Rate(60, MINUTE, burst=3)
    assert await taken(counts, key, rate, 4) == [True, True, True, False]
    clock.forward(1)
    assert await taken(counts, key, rate, 2) == [True, False]
    clock.forward(60)
    assert await taken(counts, key, rate, 4) == [True, True, True, False]


async def test_a_buckets_verdict_says_when_the_next_token_comes(counts: CountStore, key: str) -> None:
    rate = Rate(30, timedelta(hours=1), burst=2)
    await counts.take(key, rate)
    last = await counts.take(key, rate)
    refused = await counts.take(key, rate)
    assert (last.remaining, last.limit, refused.remaining) == (0, 2, 0)
    assert refused.retry_in == pytest.approx(120, abs=0.01)
    assert refused.whole_in == pytest.approx(240, abs=0.01)


async def test_keys_do_not_share_their_counts(counts: CountStore, key: str) -> None:
    rate = Rate(1, MINUTE)
    assert await taken(counts, key, rate, 2) == [True, False]
    assert await taken(counts, f"{key}-other", rate, 2) == [True, False]


@pytest.mark.parametrize("rate", [Rate(1, MINUTE), Rate(1, MINUTE, burst=1)], ids=["window", "bucket"])
async def test_what_is_forgotten_begins_anew(counts: CountStore, key: str, rate: Rate) -> None:
    await taken(counts, key, rate, 1)
    await counts.forget(key)
    assert await taken(counts, key, rate, 2) == [True, False]


# Waits are multiples of a quarter of a second, which binary fractions hold exactly.
waits = st.lists(st.integers(0, 60).map(lambda quarters: quarters / 4), min_size=1, max_size=120)
steady = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@steady
@given(count=st.integers(1, 8), waits=waits)
async def test_no_stretch_of_a_period_holds_more_than_the_count(
    counts: CountStore, clock: Turned, count: int, waits: list[float]
) -> None:
    key, at = new_id().hex, []
    for wait in waits:
        clock.forward(wait)
        if (await counts.take(key, Rate(count, MINUTE))).allowed:
            at.append(clock.now)
    assert max(sum(1 for other in at if one <= other < one + 60) for one in at) <= count


@steady
@given(count=st.integers(1, 60), burst=st.integers(1, 8), waits=waits)
async def test_no_stretch_holds_more_than_the_burst_and_what_flowed_in(
    counts: CountStore, clock: Turned, count: int, burst: int, waits: list[float]
) -> None:
    key, at = new_id().hex, []
    for wait in waits:
        clock.forward(wait)
        if (await counts.take(key, Rate(count, MINUTE, burst))).allowed:
            at.append(clock.now)
    for start in range(len(at)):
        for end in range(start, len(at)):
            assert end - start + 1 <= burst + (at[end] - at[start]) * count / 60 + 1e-3


async def test_a_flood_of_keys_forgets_the_longest_untouched_and_no_more(clock: Turned) -> None:
    counts = MemoryCounts(clock, most_keys=3)
    rate = Rate(1, MINUTE)
    for key in ("a", "b", "c", "a", "d"):
        await counts.take(key, rate)
    assert (await counts.take("a", rate)).allowed is False
    assert (await counts.take("b", rate)).allowed is True
