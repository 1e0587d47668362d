from __future__ import annotations

import pytest

from syncline.sandbox.shopify.bucket import RATES, Bucket


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bucket(clock: Clock) -> Bucket:
    return Bucket(RATES["advanced"], clock)


def test_the_bucket_holds_twenty_seconds_of_its_rate(bucket: Bucket) -> None:
    assert bucket.status() == {"maximumAvailable": 4000.0, "currentlyAvailable": 4000, "restoreRate": 200.0}


def test_the_number_types_are_those_of_live_stores(bucket: Bucket) -> None:
    kinds = [type(value) for value in bucket.status().values()]
    assert kinds == [float, int, float]


def test_admission_is_on_the_requested_cost_and_the_actual_is_charged(bucket: Bucket) -> None:
    assert bucket.take(862)
    bucket.settle(862, 158)
    assert bucket.status()["currentlyAvailable"] == 3842  # measured: 862 requested, 158 actual, 4000 -> 3842


def test_what_is_not_there_is_refused_and_costs_nothing(bucket: Bucket) -> None:
    for _ in range(4):
        assert bucket.take(1000)
    assert not bucket.take(1)
    assert (bucket.throttled, bucket.status()["currentlyAvailable"]) == (1, 0)


def test_points_come_back_with_time_and_never_beyond_the_brim(bucket: Bucket, clock: Clock) -> None:
    bucket.take(1000)
    clock.at += 2.5
    assert bucket.status()["currentlyAvailable"] == 3500
    clock.at += 60
    assert bucket.status()["currentlyAvailable"] == 4000


def test_stats_tell_how_much_of_the_restored_points_was_used(bucket: Bucket, clock: Clock) -> None:
    bucket.take(1000)
    bucket.settle(1000, 1000)
    clock.at += 10  # 2,000 restored, 1,000 of them over the brim
    stats = bucket.stats()
    assert (stats["restored"], stats["overflowed"], stats["use"]) == (2000.0, 1000.0, 0.5)
    assert stats["history"] == [{"second": 0, "requested": 1000.0, "charged": 1000.0, "throttled": 0}]


def test_reset_fills_the_bucket_and_forgets(bucket: Bucket) -> None:
    bucket.take(1000)
    bucket.reset()
    assert (bucket.stats()["requested"], bucket.status()["currentlyAvailable"]) == (0.0, 4000)
