"""`@idempotent(key:)`: a key is kept 24 hours with the parameters and the outcome of its first request.

A repeat with the same parameters gets the first outcome, rendered anew from the store for the fields it asks for. Our
reading of "failed" (the document gives no example): the first request ended in user errors or in an internal error.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

KEPT = timedelta(hours=24)
MESSAGES = {
    "IDEMPOTENCY_CONCURRENT_REQUEST": "This request is currently in progress, please try again.",
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": (
        "The same idempotency key cannot be used with different operation parameters."
    ),
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": (
        "A previous request with this idempotency key failed. Retry with a new idempotency key."
    ),
}


@dataclass(slots=True)
class Attempt:
    fingerprint: str
    at: datetime
    state: str = "in flight"  # in flight | done | failed
    payload: dict[str, Any] | None = None


@dataclass(slots=True)
class IdempotencyKeys:
    now: Callable[[], datetime]
    attempts: OrderedDict[str, Attempt] = field(default_factory=OrderedDict)

    def begin(self, key: str, fingerprint: str) -> Attempt | str | dict[str, Any]:
        """A fresh attempt to finish; or a cached payload; or the code of the refusal."""
        self._drop_old()
        known = self.attempts.get(key)
        if known is None:
            attempt = Attempt(fingerprint, self.now())
            self.attempts[key] = attempt
            return attempt
        if known.fingerprint != fingerprint:
            return "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        if known.state == "in flight":
            return "IDEMPOTENCY_CONCURRENT_REQUEST"
        if known.payload is None:
            return "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
        return known.payload

    def finish(self, attempt: Attempt, payload: dict[str, Any] | None) -> None:
        """`payload` of a success; None when the attempt failed."""
        attempt.state = "done" if payload is not None else "failed"
        attempt.payload = payload

    def forget(self, key: str) -> None:
        """As if the key had never been sent."""
        self.attempts.pop(key, None)

    def _drop_old(self) -> None:
        limit = self.now() - KEPT
        while self.attempts and next(iter(self.attempts.values())).at <= limit:
            self.attempts.popitem(last=False)
