"""What a failed attempt means: once more after a wait, or a dead letter. Pure; used by jobs and by event handlers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from syncline.kernel.errors import ConnectorOutcome, DomainError, Fatal, Retriable, Skippable, Unavailable

_LONGEST_REASON = 2000
_NO_WAIT = timedelta(0)
_FEW_DEATHS, _MANY_DEATHS, _MANY_ATTEMPTS = 2, 12, 20
_MAX_DOUBLINGS = 40  # keeps base * 2**n inside what a timedelta can hold


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Attempt n+1 waits a random time between zero and `base` doubled n times, never over `cap`. "Full jitter" keeps
    many that failed together from coming back together (Brooker, AWS Architecture Blog, March 2015).

    A job with which `max_deaths` workers ended, without anything kept in between (`JobContext.hold`), is given to no
    other: what kills whoever takes it would go through the whole fleet. Unless told it is two; a policy of many
    attempts is one of jobs that run for long and keep what they do as they go, which may lose more workers by chance.
    """

    max_attempts: int = 8
    base: timedelta = timedelta(seconds=2)
    cap: timedelta = timedelta(minutes=5)
    max_deaths: int | None = None

    @property
    def deaths_allowed(self) -> int:
        if self.max_deaths is not None:
            return self.max_deaths
        return _FEW_DEATHS if self.max_attempts < _MANY_ATTEMPTS else _MANY_DEATHS

    def backoff(self, attempt: int, draw: Callable[[], float] = random.random) -> timedelta:
        """The wait after the failed `attempt` (the first is 1). `draw` gives a number from 0 to 1."""
        ceiling = min(self.cap, self.base * int(2 ** min(attempt - 1, _MAX_DOUBLINGS)))
        return ceiling * draw()


@dataclass(frozen=True, slots=True)
class Again:
    """Try once more, not before `wait` has passed."""

    wait: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Trying again changes nothing, or was tried often enough."""

    reason: str


def judge(
    error: BaseException, attempt: int, policy: RetryPolicy, draw: Callable[[], float] = random.random
) -> Again | GiveUp:
    """`Fatal`, `Skippable` and refusals (`DomainError`) give up at once; `Unavailable` is a refusal that passes, so it
    is tried again like any unknown error. The wait a `Retriable` names is kept to; the jitter comes on top of it."""
    reason = reason_of(error)
    refused = isinstance(error, DomainError) and not isinstance(error, Unavailable)
    if refused or isinstance(error, (Fatal, Skippable)) or attempt >= policy.max_attempts:
        return GiveUp(reason)
    if isinstance(error, Retriable) and error.wait is not None:
        return Again(max(error.wait, _NO_WAIT) + policy.base * draw(), reason)
    return Again(policy.backoff(attempt, draw), reason)


def reason_of(error: BaseException) -> str:
    """The error in words for the person who reads the dead letter."""
    if isinstance(error, (ConnectorOutcome, DomainError)):
        return error.sentence[:_LONGEST_REASON]
    # PostgreSQL refuses NUL in text, and an error's message may quote anything.
    return f"{type(error).__name__}: {error}".replace("\0", "�")[:_LONGEST_REASON]
