"""What calls to one upstream share inside a process: its breaker, its bucket, and who listens to calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from syncline.runtime.connect.breaker import Breaker, BreakerSettings
from syncline.runtime.connect.cost_limiter import CostLimiter


@dataclass(frozen=True, slots=True)
class CallTrace:
    """One attempt of one call, for metrics and traces. Holds no header, no body and no query string."""

    upstream: str
    operation: str
    url: str
    status: int | None
    outcome: str
    seconds: float
    sent_bytes: int
    received_bytes: int


TraceHook = Callable[[CallTrace], None]


@dataclass(slots=True)
class Registry:
    """Breakers live as long as the process, so that their state can be shown; a limiter as long as a client uses it."""

    breakers: dict[str, Breaker] = field(default_factory=dict)
    limiters: WeakValueDictionary[str, CostLimiter] = field(default_factory=WeakValueDictionary)
    hooks: list[TraceHook] = field(default_factory=list)

    def breaker(self, key: str, settings: BreakerSettings | None = None) -> Breaker:
        if key not in self.breakers:
            self.breakers[key] = Breaker(key, settings or BreakerSettings())
        return self.breakers[key]

    def limiter(self, key: str, make: Callable[[], CostLimiter]) -> CostLimiter:
        found = self.limiters.get(key)
        if found is None:
            found = self.limiters[key] = make()
        return found

    def states(self) -> dict[str, str]:
        """State of every breaker by upstream, for health and metrics."""
        return {name: breaker.state.value for name, breaker in sorted(self.breakers.items())}


PROCESS = Registry()
"""Shared by all clients of this process that are not given a registry of their own."""
