"""Trying again: full jitter, the vendor's own wait honoured, and never twice what must happen once.

`stamina` is not used here: its jitter is added to the wait instead of drawn from it, and it does not know that a failed
write may be repeated only if it was proven not to have happened.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from syncline.kernel.errors import Retriable
from syncline.runtime.connect.deadline import Deadline
from syncline.runtime.connect.errors import NotNow, NotProcessed, OutcomeUnknown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` counts the first try. The wait before try n+1 is drawn evenly from 0 to min(cap, base * 2^(n-1))."""

    attempts: int = 6
    base: timedelta = timedelta(milliseconds=500)
    cap: timedelta = timedelta(seconds=30)

    def wait_seconds(self, attempt: int, asked: timedelta | None, draw: Callable[[], float] = random.random) -> float:
        """Seconds to leave after failed try number `attempt` (from 1).

        What the vendor asked for is the least; the jitter comes on top, so that callers refused together do not
        come back together.
        """
        # The exponent is held so that a long-lived loop cannot overflow the multiplication.
        ceiling = min(self.cap.total_seconds(), self.base.total_seconds() * 2.0 ** min(attempt - 1, 60))
        jitter = draw() * ceiling
        return jitter if asked is None else asked.total_seconds() + min(jitter, asked.total_seconds())


DEFAULT_RETRY = RetryPolicy()


async def retrying(
    call: Callable[[int], Awaitable[T]],
    *,
    idempotent: bool,
    policy: RetryPolicy = DEFAULT_RETRY,
    deadline: Deadline | None = None,
    on_retry: Callable[[int, Retriable, float], None] | None = None,
) -> T:
    """Runs `call(attempt)` until it answers, fails for good, or attempts or time run out.

    A call that is not idempotent is repeated only after `NotProcessed`; any other retriable failure of it becomes
    `OutcomeUnknown`. When tries or time run out the last failure itself is raised, its wait kept for the job queue.
    """
    deadline = deadline or Deadline.after(None)
    for attempt in range(1, policy.attempts + 1):
        try:
            return await call(attempt)
        except Retriable as error:
            if not idempotent and not isinstance(error, NotProcessed | OutcomeUnknown):
                raise unknown(error) from error
            if attempt == policy.attempts or isinstance(error, OutcomeUnknown | NotNow):
                raise
            seconds = policy.wait_seconds(attempt, error.wait)
            if not deadline.allows(seconds):
                raise
            if on_retry is not None:
                on_retry(attempt, error, seconds)
        await asyncio.sleep(seconds)
    msg = f"a retry policy needs at least one attempt, not {policy.attempts}"
    raise ValueError(msg)


def unknown(error: Retriable) -> OutcomeUnknown:
    """The same failure, for a call that must not be repeated before the record was read back."""
    return OutcomeUnknown(
        "The connection failed while a change was being written; Syncline reads the record back before it tries again.",
        detail=str(error),
        vendor_code=error.vendor_code,
        wait=error.wait,
    )
