from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from syncline.runtime.limits.limiter import LOST, REACHED, Limiter, LimitsUnavailable
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import Policy, Rate, WhenLost
from syncline.runtime.limits.redis_counts import RedisCounts
from syncline.runtime.limits.testing import RedisServer

MINUTE = timedelta(minutes=1)
POLICIES = {
    "open": Policy("open", Rate(2, MINUTE)),
    "closed": Policy("closed", Rate(2, MINUTE), when_lost=WhenLost.CLOSED),
    "bucket": Policy("bucket", Rate(2, MINUTE, 1)),
    "off": Policy("off", None),
}


async def allowed(limiter: Limiter, policy: str, times: int, subject: str = "me") -> list[bool]:
    verdicts = [await limiter.take(policy, subject) for _ in range(times)]
    return [verdict.allowed for verdict in verdicts if verdict is not None]


async def test_two_processes_share_one_count(redis_server: RedisServer) -> None:
    one, two = (Limiter(RedisCounts(redis_server.url), POLICIES) for _ in range(2))
    assert await allowed(one, "open", 1, "shared") == [True]
    assert await allowed(two, "open", 2, "shared") == [True, False]
    await one.close()
    await two.close()


async def test_a_hundred_at_once_pass_exactly_as_many_as_the_limit(redis_server: RedisServer) -> None:
    limiter = Limiter(RedisCounts(redis_server.url), {"many": Policy("many", Rate(37, MINUTE))})
    verdicts = await asyncio.gather(*(limiter.take("many", "crowd") for _ in range(100)))
    assert sum(1 for verdict in verdicts if verdict is not None and verdict.allowed) == 37
    await limiter.close()


async def test_counts_outlive_a_restart_of_ours_and_of_redis(own_redis: RedisServer) -> None:
    before = Limiter(RedisCounts(own_redis.url), POLICIES)
    assert await allowed(before, "open", 2) == [True, True]
    await before.close()
    own_redis.stop()
    own_redis.start()
    after = Limiter(RedisCounts(own_redis.url), POLICIES)
    assert await allowed(after, "open", 1) == [False]
    await after.close()


async def test_without_redis_what_is_open_is_counted_here_and_what_is_closed_refused(own_redis: RedisServer) -> None:
    limiter = Limiter(RedisCounts(own_redis.url), POLICIES)
    assert await allowed(limiter, "open", 1) == [True]
    own_redis.stop()
    lost = LOST.labels("open", "open")._value.get()
    assert await allowed(limiter, "open", 3) == [True, True, False]
    with pytest.raises(LimitsUnavailable, match="Try again in a few seconds") as refused:
        await limiter.take("closed", "me")
    assert (refused.value.status, refused.value.extra) == (503, {"retry_after": 5})
    assert LOST.labels("open", "open")._value.get() == lost + 3
    assert REACHED._value.get() == 0
    await limiter.close()


async def test_redis_that_comes_back_is_asked_again_after_a_rest(own_redis: RedisServer) -> None:
    moment = [0.0]
    limiter = Limiter(RedisCounts(own_redis.url), POLICIES, clock=lambda: moment[0])
    own_redis.stop()
    assert await allowed(limiter, "bucket", 2) == [True, False]
    own_redis.start()
    assert await allowed(limiter, "bucket", 1) == [False]
    moment[0] = 2.0
    assert await allowed(limiter, "bucket", 2) == [True, False]
    assert REACHED._value.get() == 1
    await limiter.close()


async def test_a_changed_rate_does_not_read_the_counts_of_the_old_one(redis_server: RedisServer) -> None:
    for rate in (Rate(1, MINUTE), Rate(1, MINUTE, 1), Rate(1, timedelta(hours=1))):
        limiter = Limiter(RedisCounts(redis_server.url), {"changing": Policy("changing", rate)})
        assert await allowed(limiter, "changing", 2, "mover") == [True, False]
        await limiter.close()


async def test_a_policy_that_is_off_counts_nothing() -> None:
    assert await allowed(Limiter(MemoryCounts(), POLICIES), "off", 3) == []


async def test_a_policy_nobody_declared_is_a_mistake_of_ours() -> None:
    with pytest.raises(LookupError, match="no limit is declared as nowhere"):
        await Limiter(MemoryCounts(), POLICIES).take("nowhere", "me")


async def test_a_forgotten_subject_begins_anew() -> None:
    limiter = Limiter(MemoryCounts(), POLICIES)
    assert await allowed(limiter, "open", 3) == [True, True, False]
    await limiter.forget("open", "me")
    assert await allowed(limiter, "open", 1) == [True]


async def test_an_address_where_nothing_answers_is_lost_and_no_crash() -> None:
    limiter = Limiter(RedisCounts("redis://127.0.0.1:9"), POLICIES)
    assert await allowed(limiter, "open", 1) == [True]
    await limiter.close()
