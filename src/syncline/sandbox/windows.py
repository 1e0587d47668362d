"""Limits by windows of time: fixed ones, which begin anew on the clock, and rolling ones."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from syncline.kernel import clock


@dataclass(slots=True)
class FixedWindow:
    """At most `limit` in each stretch of `seconds` on the clock."""

    limit: int
    seconds: float
    used: int = 0
    resets_at: float = 0.0
    """Unix time of the end of the present stretch."""

    def look(self) -> bool:
        """Whether one more fits. Takes nothing."""
        now = clock.now().timestamp()
        if now >= self.resets_at:
            self.used = 0
            self.resets_at = (now // self.seconds + 1) * self.seconds
        return self.used < self.limit

    def take(self) -> bool:
        if not self.look():
            return False
        self.used += 1
        return True

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def wait(self) -> float:
        """Seconds until it begins anew."""
        return max(0.0, self.resets_at - clock.now().timestamp())


@dataclass(slots=True)
class RollingWindow:
    """At most `limit` of something within any `seconds`; one request may weigh much."""

    limit: float
    seconds: float
    used: float = 0.0
    _taken: deque[tuple[float, float]] = field(default_factory=deque)

    def fits(self, weight: float = 1.0) -> bool:
        """Whether it fits. Takes nothing. What is heavier than the whole limit passes when nothing else is in it."""
        now = clock.now().timestamp()
        while self._taken and self._taken[0][0] <= now - self.seconds:
            self.used -= self._taken.popleft()[1]
        return not self._taken or self.used + weight <= self.limit

    def take(self, weight: float = 1.0) -> None:
        self._taken.append((clock.now().timestamp(), weight))
        self.used += weight
