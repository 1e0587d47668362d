"""Both stores of counts, each with a clock that the test turns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from syncline.runtime.limits import redis_counts
from syncline.runtime.limits.counting import CountStore
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.redis_counts import RedisCounts


@dataclass
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _in_memory(clock: Clock, _request: pytest.FixtureRequest) -> CountStore:
    return MemoryCounts(clock)


def _in_redis(clock: Clock, request: pytest.FixtureRequest) -> CountStore:
    # On a busy machine half a second is no sign that it is lost.
    request.getfixturevalue("monkeypatch").setattr(redis_counts, "PATIENCE", timedelta(minutes=1))
    return RedisCounts(request.getfixturevalue("redis_server").url, clock)


@pytest.fixture(params=[_in_memory, _in_redis], ids=["memory", "redis"])
async def counts(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[CountStore]:
    make: Callable[[Clock, pytest.FixtureRequest], CountStore] = request.param
    made = make(clock, request)
    yield made
    await made.close()
