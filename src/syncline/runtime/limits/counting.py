"""What is asked of a store of counts, what it answers, and the answer's arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from syncline.kernel.errors import SynclineError
from syncline.runtime.limits.policy import Rate


@dataclass(frozen=True, slots=True)
class Verdict:
    """`remaining` are left after this one. `whole_in` is seconds until the limit is as good as unused, `retry_in` until
    one more may be done (0 when it may be now)."""

    allowed: bool
    limit: int
    remaining: int
    whole_in: float
    retry_in: float


class CountsLost(SynclineError):
    """The store of counts cannot be reached, or did not answer in time."""


class CountStore(Protocol):
    async def take(self, key: str, rate: Rate) -> Verdict:
        """Counts one, when the limit allows it; what is refused is not counted. Raises `CountsLost`."""
        ...

    async def forget(self, key: str) -> None:
        """As if nothing had been counted. Raises `CountsLost`."""
        ...

    async def close(self) -> None: ...


def of_window(rate: Rate, used: int, *, allowed: bool, whole_in: float, retry_in: float) -> Verdict:
    return Verdict(allowed, rate.count, max(0, rate.count - used), max(0.0, whole_in), max(0.0, retry_in))


def of_bucket(rate: Rate, debt: float, *, allowed: bool) -> Verdict:
    """`debt` is seconds until the bucket is full; a bucket of n tokens is empty at n times the time of one."""
    one, most = rate.seconds / rate.count, rate.most
    left = max(0, math.floor(most - debt / one + 1e-6))
    retry_in = 0.0 if left else max(0.0, debt - (most - 1) * one)
    return Verdict(allowed, most, left, max(0.0, debt), retry_in)
