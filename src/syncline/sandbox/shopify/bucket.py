"""The leaky bucket of GraphQL cost points: one per app and shop, refilled at the plan's rate, 20 seconds of it deep."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

RATES = {"standard": 100.0, "advanced": 200.0, "plus": 1000.0, "enterprise": 2000.0}
"""Points restored each second (shopify.dev, API rate limits, 2026)."""
DEPTH_SECONDS = 20
KEPT_SECONDS = 3600


@dataclass(slots=True)
class Second:
    """One second of the bucket's life, for judging how well a client used it."""

    at: int
    requested: float = 0.0
    charged: float = 0.0
    throttled: int = 0


@dataclass(slots=True)
class Bucket:
    rate: float
    clock: Callable[[], float] = time.monotonic
    available: float = field(init=False)
    requested: float = 0.0
    charged: float = 0.0
    throttled: int = 0
    overflowed: float = 0.0
    """Points that were restored while the bucket was full: what a client could have used and did not."""
    history: deque[Second] = field(default_factory=lambda: deque(maxlen=KEPT_SECONDS))
    _at: float = field(init=False)
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self.available = self.capacity
        self._at = self._started = self.clock()

    @property
    def capacity(self) -> float:
        return self.rate * DEPTH_SECONDS

    def take(self, points: int) -> bool:
        """Takes the requested cost; False, and nothing taken, when there is not enough. Give back with `settle`."""
        self._restore()
        second = self._second()
        if points > self.available:
            self.throttled += 1
            second.throttled += 1
            return False
        self.available -= points
        self.requested += points
        second.requested += points
        return True

    def settle(self, requested: int, actual: int) -> None:
        """Charges the actual cost: gives back what the requested cost was more."""
        self._restore()
        self.available = min(self.capacity, self.available + requested - actual)
        self.charged += actual
        self._second().charged += actual

    def status(self) -> dict[str, float]:
        """`throttleStatus`, with the number types seen on live stores: a float, an integer, a float."""
        self._restore()
        return {
            "maximumAvailable": float(self.capacity),
            "currentlyAvailable": int(self.available),
            "restoreRate": float(self.rate),
        }

    def reset(self) -> None:
        """Full again, with no history."""
        self.available = self.capacity
        self.requested = self.charged = self.overflowed = 0.0
        self.throttled = 0
        self.history.clear()
        self._at = self._started = self.clock()

    def stats(self) -> dict[str, Any]:
        """What happened since the start or the last reset. `use` is the part of the restored points that did not run
        over a full bucket."""
        self._restore()
        seconds = self._at - self._started
        restored = seconds * self.rate
        return {
            **self.status(),
            "seconds": round(seconds, 3),
            "requested": self.requested,
            "charged": self.charged,
            "throttled": self.throttled,
            "restored": round(restored, 1),
            "overflowed": round(self.overflowed, 1),
            "use": round(1 - self.overflowed / restored, 4) if restored else None,
            "history": [
                {"second": one.at, "requested": one.requested, "charged": one.charged, "throttled": one.throttled}
                for one in self.history
            ],
        }

    def _restore(self) -> None:
        now = self.clock()
        grown = self.available + (now - self._at) * self.rate
        self._at = now
        self.available = min(self.capacity, grown)
        self.overflowed += grown - self.available

    def _second(self) -> Second:
        at = int(self._at - self._started)
        if not self.history or self.history[-1].at != at:
            self.history.append(Second(at))
        return self.history[-1]
