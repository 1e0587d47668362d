"""Asks the counts, and decides what holds while they are out of reach."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache

from syncline.kernel.errors import Unavailable
from syncline.runtime.limits.counting import CountsLost, CountStore, Verdict
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import Policy, Rate, WhenLost
from syncline.runtime.observe.logs import get_logger
from syncline.runtime.observe.metrics import Counter, Gauge

log = get_logger(__name__)

_REST_SECONDS = 1.0
"""After a failure the shared counts are left alone for so long, so that requests do not each wait for them."""

TAKEN = Counter("syncline_limits_total", "What limits were asked for, and what they said.", ["policy", "verdict"])
LOST = Counter("syncline_limits_lost_total", "Asked while the shared counts were out of reach.", ["policy", "went"])
REACHED = Gauge("syncline_limits_counts_reached", "1 while the shared counts answer, 0 while they do not.")


class LimitsUnavailable(Unavailable):
    code = "LIMIT_002"
    title = "This cannot be counted at the moment"


class Limiter:
    """Policies and where they are counted. One per process."""

    def __init__(
        self, store: CountStore, policies: Mapping[str, Policy], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.policies = policies
        self._store = store
        self._own = MemoryCounts(clock)
        self._clock = clock
        self._rests_until = 0.0
        REACHED.set(1)

    async def take(self, name: str, subject: str) -> Verdict | None:
        """Counts one for `subject` under the policy `name`; None where the policy is off.

        Raises `LimitsUnavailable` while the counts are out of reach and the policy says that nobody passes then;
        `LookupError` for a policy that is not declared.
        """
        return await self.take_under(self._declared(name), subject)

    async def take_under(self, policy: Policy, subject: str) -> Verdict | None:
        """The same, of a policy whose rate is another than the declared one."""
        if policy.rate is None:
            return None
        verdict = await self._count(policy, policy.rate, _key(policy, policy.rate, subject))
        _taken(policy.name, verdict.allowed).inc()
        return verdict

    async def forget(self, name: str, subject: str) -> None:
        """As if `subject` had done nothing yet. Raises `CountsLost`; `LookupError` for a policy nobody declared."""
        await self.forget_under(self._declared(name), subject)

    async def forget_under(self, policy: Policy, subject: str) -> None:
        """The same, of a policy whose rate is another than the declared one."""
        if policy.rate is not None:
            key = _key(policy, policy.rate, subject)
            await self._own.forget(key)
            await self._store.forget(key)

    async def close(self) -> None:
        await self._store.close()

    def _declared(self, name: str) -> Policy:
        policy = self.policies.get(name)
        if policy is None:
            raise LookupError(f"no limit is declared as {name}")
        return policy

    async def _count(self, policy: Policy, rate: Rate, key: str) -> Verdict:
        if self._clock() >= self._rests_until:
            try:
                verdict = await self._store.take(key, rate)
            except CountsLost as error:
                self._rests_until = self._clock() + _REST_SECONDS
                REACHED.set(0)
                log.warning("shared limits out of reach", error=str(error), policy=policy.name)
            else:
                REACHED.set(1)
                return verdict
        LOST.labels(policy.name, policy.when_lost.value).inc()
        if policy.when_lost is WhenLost.CLOSED:
            raise LimitsUnavailable(
                "Attempts cannot be counted at the moment, so none is taken. Try again in a few seconds.",
                extra={"retry_after": 5},
            )
        return await self._own.take(key, rate)


def _key(policy: Policy, rate: Rate, subject: str) -> str:
    # With the rate in it, counts of another rate (the setting was changed) are not read as counts of this one.
    return f"{policy.name}:{_written(rate)}:{subject}"


@lru_cache(maxsize=1_000)
def _written(rate: Rate) -> str:
    return str(rate).replace(" ", "-")


@lru_cache(maxsize=1_000)
def _taken(policy: str, allowed: bool) -> Counter:
    return TAKEN.labels(policy, "allowed" if allowed else "refused")
