"""What calls to one upstream share inside a process: its breaker, its bucket, and who listens to calls."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import structlog

from syncline.runtime.connect.breaker import Breaker, BreakerSettings, BreakerState
from syncline.runtime.connect.cost_limiter import CostLimiter

log = structlog.get_logger("syncline.connect")


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
ChangeHook = Callable[[Breaker, BreakerState], None]


@dataclass(slots=True)
class Registry:
    """Breakers live as long as the process, so that their state can be shown; a limiter as long as a client uses it."""

    breakers: dict[str, Breaker] = field(default_factory=dict)
    settings: BreakerSettings = field(default_factory=BreakerSettings)
    """Of breakers that are given none of their own; those made before it was set keep theirs."""

    limiters: WeakValueDictionary[str, CostLimiter] = field(default_factory=WeakValueDictionary)
    hooks: list[TraceHook] = field(default_factory=list)
    on_change: list[ChangeHook] = field(default_factory=list)
    """Told at each change of a breaker's state, after the log."""

    def breaker(self, key: str, settings: BreakerSettings | None = None) -> Breaker:
        if key not in self.breakers:
            self.breakers[key] = Breaker(key, settings or self.settings, on_change=self._changed)
        return self.breakers[key]

    def limiter(self, key: str, make: Callable[[], CostLimiter]) -> CostLimiter:
        found = self.limiters.get(key)
        if found is None:
            found = self.limiters[key] = make()
        return found

    def states(self) -> dict[str, str]:
        """State of every breaker by upstream, for health and metrics."""
        return {name: breaker.state.value for name, breaker in sorted(self.breakers.items())}

    def _changed(self, breaker: Breaker, state: BreakerState) -> None:
        calls, failed = breaker.opened_after
        if state is BreakerState.OPEN:
            pause = breaker.settings.cool_down.total_seconds()
            facts: dict[str, object] = {"calls": calls, "failed": failed, "pause_seconds": pause}
            log.warning("breaker opened", upstream=breaker.name, shown_as=shown_name(breaker.name), **facts)
        else:
            log.info(f"breaker {state.value}", upstream=breaker.name, shown_as=shown_name(breaker.name))
        for hook in self.on_change:
            hook(breaker, state)


def vendor_of(upstream: str) -> str:
    """`shopify` of `shopify:summer.myshopify.com` and of `shopify:summer.myshopify.com files`."""
    return _AFTER_FIRST_WORD.split(upstream, maxsplit=1)[0]


_AFTER_FIRST_WORD = re.compile(r"[: ]")
_SALT = secrets.token_bytes(16)


def shown_name(upstream: str) -> str:
    """What health calls an upstream: its vendor, and a mark that differs for each and in each process. Health is open,
    and which stores a tenant has is nobody else's business; the log has both names."""
    mark = hashlib.blake2s(upstream.encode(), key=_SALT, digest_size=4).hexdigest()
    return f"{vendor_of(upstream)}:{mark}"


PROCESS = Registry()
"""Shared by all clients of this process that are not given a registry of their own."""
