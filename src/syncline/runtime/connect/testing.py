"""A vendor for tests: healthy answers with faults in front of them. Ships with the kit, for every connector."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from syncline.runtime.connect.registry import Registry
from syncline.runtime.connect.retry import RetryPolicy

Handler = Callable[[httpx.Request], httpx.Response]
Fault = Callable[[httpx.Request, Handler], httpx.Response]

FAST_RETRY = RetryPolicy(attempts=4, base=timedelta(milliseconds=1), cap=timedelta(milliseconds=5))


@dataclass(slots=True)
class ScriptedVendor:
    """Answers with the next fault while there is one, else as `well` does. Keeps every request it saw."""

    well: Handler
    faults: deque[Fault] = field(default_factory=deque)
    requests: list[httpx.Request] = field(default_factory=list)

    def then(self, *faults: Fault) -> ScriptedVendor:
        self.faults.extend(faults)
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.faults.popleft()(request, self.well) if self.faults else self.well(request)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)


def fine(request: httpx.Request, well: Handler) -> httpx.Response:
    """No fault: lets one call pass before those that follow."""
    return well(request)


def answering(response: Callable[[], httpx.Response]) -> Fault:
    """The vendor gives this answer and does nothing."""
    return lambda _request, _well: response()


def status(code: int, *, headers: dict[str, str] | None = None, json: object = None) -> Fault:
    return answering(lambda: httpx.Response(code, headers=headers, json=json))


def unreachable(request: httpx.Request, _well: Handler) -> httpx.Response:
    """No connection is made."""
    raise httpx.ConnectError("All connection attempts failed", request=request)


def dropped_after(request: httpx.Request, well: Handler) -> httpx.Response:
    """The vendor does what was asked, then the connection breaks off before the answer."""
    well(request)
    raise httpx.ReadError("", request=request)


def fresh_registry() -> Registry:
    """Breakers and buckets that no other test has seen."""
    return Registry()


def bodies(requests: Sequence[httpx.Request]) -> list[bytes]:
    return [request.content for request in requests]
