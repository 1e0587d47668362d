"""Calls to a vendor whose limits count requests: paced so that they are not exceeded, repeated only when that is safe.

A vendor whose limits count cost has a client of its own on the same parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlencode

import httpx

from syncline.runtime.connect.client import Call, HttpClient, Timeouts, log_retry, require_https, retry_after
from syncline.runtime.connect.cost_limiter import CostLimiter
from syncline.runtime.connect.deadline import Deadline
from syncline.runtime.connect.errors import ErrorTable
from syncline.runtime.connect.redact import Redactor
from syncline.runtime.connect.registry import PROCESS, Registry
from syncline.runtime.connect.retry import DEFAULT_RETRY, RetryPolicy, retrying

T = TypeVar("T")

_DEADLINE = timedelta(minutes=5)
_LONGEST_DETAIL = 300
_MADE_UP = 0.15
"""Of a call: at 20 calls in 2 seconds, 16 ms."""
_PART = 0.5
"""Calls are whole: a part of one more in a stretch is no call more. The rest of it is for networks, which may bring
calls closer together than they went: at 20 calls in 2 seconds by 50 ms."""


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `calls` within any `seconds`; the first `burst` of them may go at once, the others are spread evenly. In
    the long run it is as many as are spread: a large burst is paid for by them."""

    calls: int
    seconds: float
    burst: int = 1

    def limiter(self) -> CostLimiter:
        # One more than the burst, because the limiter keeps a margin of one; and what a call that was woken late may be
        # made up for, or else each would put off all that follow.
        rate = (self.calls - self.burst - _MADE_UP + _PART) / self.seconds
        return CostLimiter(capacity=self.burst + 1 + _MADE_UP, restore_rate=rate)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a vendor is and what it takes. `refusals` reads an answer that is an error: the code to look up in
    `errors`, None for one that is none."""

    upstream: str
    base_url: str
    secrets: Collection[str] = field(repr=False)
    errors: ErrorTable
    refusals: Callable[[httpx.Response], int | str | None]
    paces: Sequence[Pace] = ()
    auth: httpx.Auth | None = field(default=None, repr=False)
    query: Mapping[str, str] | None = field(default=None, repr=False)
    """What every call's query carries, such as a key."""


class RestClient:
    """An async context manager. Clients of one process for the same account share their paces and their breaker."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        registry: Registry = PROCESS,
        retry: RetryPolicy = DEFAULT_RETRY,
        timeouts: Timeouts | None = None,
    ) -> None:
        require_https(endpoint.base_url)
        self._endpoint = endpoint
        self._retry = retry
        self.redact = Redactor(endpoint.secrets)
        account = hashlib.sha256("\0".join(sorted(endpoint.secrets)).encode()).hexdigest()[:12]
        key = f"{endpoint.upstream}:{endpoint.base_url}:{account}"
        self._limiters = [
            registry.limiter(f"{key}:{number}", pace.limiter) for number, pace in enumerate(endpoint.paces)
        ]
        self.http = HttpClient(
            endpoint.upstream,
            breaker=registry.breaker(key),
            auth=endpoint.auth,
            redactor=self.redact,
            timeouts=timeouts,
            transport=transport,
            hooks=registry.hooks,
        )

    def __repr__(self) -> str:
        return f"RestClient({self._endpoint.upstream!r}, {self._endpoint.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.http.close()

    async def send(
        self,
        operation: str,
        path: str,
        read: Callable[[httpx.Response], T],
        *,
        method: str = "GET",
        query: Mapping[str, object] | None = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        idempotent: bool = True,
        deadline: timedelta | None = None,
    ) -> T:
        """What `read` makes of a whole answer that is no error. Where it cannot, it raises a connector outcome, and
        so does everything else; with `idempotent=False` one that leaves open whether the vendor acted is
        `OutcomeUnknown`, and is never repeated here."""
        limit = Deadline.after(deadline or _DEADLINE)
        asked = {**(self._endpoint.query or {}), **(query or {})}
        url = f"{self._endpoint.base_url}{path}" + (f"?{urlencode(asked)}" if asked else "")
        call = Call(operation, url, method=method, headers=headers or {}, content=content)

        def judge(response: httpx.Response) -> T:
            """Inside the breaker, so that troubles told with status 200 count as troubles."""
            self._raise_for(response)
            return read(response)

        async def once(_attempt: int) -> T:
            for limiter in self._limiters:
                # Charged at once: how many calls are under way is not what these vendors limit.
                (await limiter.reserve(1)).charge()
            return await self.http.attempt(call, judge, deadline=limit)

        return await retrying(
            once,
            idempotent=idempotent,
            policy=self._retry,
            deadline=limit,
            on_retry=log_retry(self._endpoint.upstream, operation),
        )

    def _raise_for(self, response: httpx.Response) -> None:
        code = self._endpoint.refusals(response)
        if code is None:
            return
        detail = self.redact(response.text[:_LONGEST_DETAIL])
        raise self._endpoint.errors.outcome(code, detail=detail, wait=retry_after(response))
