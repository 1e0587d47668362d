"""The moment by which a call must have ended, carried through waiting, sending and retrying."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock; `None` never comes."""

    at: float | None = None

    @classmethod
    def after(cls, span: timedelta | None) -> Deadline:
        return cls(None if span is None else time.monotonic() + span.total_seconds())

    def remaining(self) -> float | None:
        """Seconds left, never below zero; `None` without a deadline."""
        return None if self.at is None else max(0.0, self.at - time.monotonic())

    def allows(self, seconds: float) -> bool:
        """Whether waiting this long still leaves time to do something."""
        left = self.remaining()
        return left is None or seconds < left
