"""The moment by which a call must have ended, carried through waiting, sending and retrying."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock; `None` never comes."""

    at: float | None = None

    @classmethod
    def after(cls, span: timedelta | None) -> Deadline:
        """`span` from now, and never later than what is being worked on must end: the request, or the attempt at a
        job."""
        around = _current.get().at
        if span is None:
            return cls(around)
        at = time.monotonic() + span.total_seconds()
        return cls(at if around is None else min(at, around))

    def remaining(self) -> float | None:
        """Seconds left, never below zero; `None` without a deadline."""
        return None if self.at is None else max(0.0, self.at - time.monotonic())

    def allows(self, seconds: float) -> bool:
        """Whether waiting this long still leaves time to do something."""
        left = self.remaining()
        return left is None or seconds < left


_current: ContextVar[Deadline] = ContextVar("deadline", default=Deadline())  # noqa: B039 - it is frozen


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Every deadline made inside the block ends with this one at the latest, in the tasks it starts too."""
    token = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(token)
