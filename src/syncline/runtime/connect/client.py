"""One HTTP client for every vendor: time-outs, deadline, breaker, tracing, redaction.

It makes single attempts; what may be repeated is decided by `retrying`, what an answer means by the connector's
`interpret`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Self, TypeVar

import httpx
import structlog

from syncline.kernel import clock
from syncline.kernel.errors import Fatal, Retriable
from syncline.runtime.connect.breaker import Breaker
from syncline.runtime.connect.deadline import Deadline
from syncline.runtime.connect.errors import NotProcessed, Throttled, VendorTrouble
from syncline.runtime.connect.hearing import tell_wait
from syncline.runtime.connect.redact import Redactor, bare_url
from syncline.runtime.connect.registry import CallTrace, TraceHook
from syncline.runtime.observe.correlation import correlation_id

T = TypeVar("T")

log = structlog.get_logger("syncline.connect")

CORRELATION_HEADER = "X-Correlation-ID"


class _WithoutQuery(logging.Filter):
    """httpx logs every address whole, and some vendors want their key in the query."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(bare_url(str(one)) if isinstance(one, httpx.URL) else one for one in record.args)
        return True


logging.getLogger("httpx").addFilter(_WithoutQuery())


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Of one attempt. `read` is the longest silence, the breaker's time-out the longest whole attempt."""

    connect: timedelta = timedelta(seconds=5)
    read: timedelta = timedelta(seconds=10)

    def httpx(self) -> httpx.Timeout:
        read = self.read.total_seconds()
        return httpx.Timeout(connect=self.connect.total_seconds(), read=read, write=read, pool=None)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `operation` names it in logs and metrics; `content` is sent as it is."""

    operation: str
    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)


@cache
def _trusted() -> ssl.SSLContext:
    """One for the process: reading the certificates takes 60 ms, and a client is opened for every job."""
    return httpx.create_ssl_context()


class HttpClient:
    """Wraps `httpx.AsyncClient`. Redirects are not followed: a vendor that moves must be looked at by a person, and
    a credential must not travel to another host."""

    def __init__(
        self,
        upstream: str,
        *,
        breaker: Breaker,
        auth: httpx.Auth | None = None,
        redactor: Redactor | None = None,
        timeouts: Timeouts | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        hooks: Sequence[TraceHook] = (),
    ) -> None:
        self.upstream = upstream
        self.breaker = breaker
        self.redact = redactor or Redactor()
        self._hooks = hooks
        self._client = httpx.AsyncClient(
            auth=auth,
            timeout=(timeouts or Timeouts()).httpx(),
            transport=transport,
            verify=_trusted(),
            headers={"User-Agent": "Syncline"},
            follow_redirects=False,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
        )

    def __repr__(self) -> str:
        return f"HttpClient({self.upstream!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    async def attempt(
        self, call: Call, interpret: Callable[[httpx.Response], T], *, deadline: Deadline | None = None
    ) -> T:
        """Sends once and reads the whole answer. `interpret` turns it into a result or raises a connector outcome.

        Raises `BreakerOpen` before sending, `NotProcessed` if no connection was made, `VendorTrouble` if the answer
        did not arrive whole or in time.
        """
        seconds = self._allowed_seconds(deadline or Deadline.after(None))
        permit = self.breaker.allow(self.upstream)
        started = time.monotonic()
        response: httpx.Response | None = None
        outcome = "cancelled"
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.request(
                    call.method, call.url, content=call.content, headers=_traced(call.headers)
                )
            result = interpret(response)
        except (httpx.TransportError, TimeoutError, httpx.DecodingError) as error:
            failure = self._failure(error)
            outcome = type(failure).__name__
            if isinstance(error, TimeoutError) and seconds < self.breaker.settings.timeout.total_seconds():
                self.breaker.abandoned(permit)  # cut short by our own deadline: the upstream was not slow
            else:
                self.breaker.failed(permit)
            raise failure from error
        except Retriable as error:
            outcome = type(error).__name__
            self._report(permit, well=isinstance(error, Throttled))
            raise
        except asyncio.CancelledError:
            self.breaker.abandoned(permit)
            raise
        except Exception as error:
            # Any other outcome is an answer: the upstream is alive, whatever we think of what it says.
            outcome = type(error).__name__
            self._report(permit, well=True)
            raise
        else:
            outcome = "ok"
            self._report(permit, well=True)
            return result
        finally:
            self._trace(call, response, outcome, time.monotonic() - started)

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[httpx.Response]:
        """An answer whose body is read piece by piece by the caller. Outside the breaker: a file store is not the API.

        Failures while reading surface as `VendorTrouble` too, and so does a deadline of the work around it.
        """
        limit = asyncio.timeout(Deadline.after(None).remaining())
        started = time.monotonic()
        response: httpx.Response | None = None
        outcome = "ok"
        try:
            async with limit, self._client.stream(call.method, call.url, headers=_traced(call.headers)) as response:
                yield response
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
            if isinstance(error, TimeoutError) and not limit.expired():
                raise  # the reader's own
            failure = self._failure(error)
            outcome = type(failure).__name__
            raise failure from error
        finally:
            self._trace(call, response, outcome, time.monotonic() - started)

    def _allowed_seconds(self, deadline: Deadline) -> float:
        left = deadline.remaining()
        if left is not None and left <= 0:
            raise NotProcessed(f"{self.upstream} could not be called in the time allowed.", vendor_code="deadline")
        whole = self.breaker.settings.timeout.total_seconds()
        return whole if left is None else min(whole, left)

    def _report(self, permit: int, *, well: bool) -> None:
        if well:
            self.breaker.succeeded(permit)
        else:
            self.breaker.failed(permit)

    def _failure(self, error: Exception) -> Retriable:
        detail = self.redact(f"{type(error).__name__}: {error}")
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            sentence = f"{self.upstream} cannot be reached; check the address and the network."
            return NotProcessed(sentence, detail=detail, vendor_code="no_connection")
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            return VendorTrouble(f"{self.upstream} did not answer in time.", detail=detail, vendor_code="timeout")
        return VendorTrouble(f"The connection to {self.upstream} broke off.", detail=detail, vendor_code="dropped")

    def _trace(self, call: Call, response: httpx.Response | None, outcome: str, seconds: float) -> None:
        trace = CallTrace(
            upstream=self.upstream,
            operation=call.operation,
            url=self.redact(bare_url(call.url)),
            status=response.status_code if response is not None else None,
            outcome=outcome,
            seconds=seconds,
            sent_bytes=len(call.content),
            received_bytes=response.num_bytes_downloaded if response is not None else 0,
        )
        log.debug(
            "vendor call",
            upstream=trace.upstream,
            operation=trace.operation,
            status=trace.status,
            outcome=outcome,
            seconds=round(seconds, 4),
        )
        for hook in self._hooks:
            hook(trace)


def _traced(headers: Mapping[str, str]) -> dict[str, str]:
    """With the id of what this call is made for, so that a vendor's support can be asked about it too."""
    asked = correlation_id()
    return dict(headers) if asked is None else {CORRELATION_HEADER: asked, **headers}


def log_retry(upstream: str, operation: str) -> Callable[[int, Retriable, float], None]:
    """An `on_retry` that says once per retry what failed and how long is left to wait, to the log and to whom the call
    is made for."""

    def tell(attempt: int, error: Retriable, seconds: float) -> None:
        log.info(
            "vendor call will be tried again",
            upstream=upstream,
            operation=operation,
            attempt=attempt,
            reason=error.vendor_code,
            wait_seconds=round(seconds, 3),
        )
        tell_wait(upstream, error, seconds)

    return tell


def retry_after(response: httpx.Response) -> timedelta | None:
    """`Retry-After` in seconds (some vendors send decimals, against RFC 9110) or as a date; None if it is neither."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    try:
        return timedelta(seconds=max(float(value), 0.0))
    except (ValueError, OverflowError):
        pass
    moment = http_date(value)
    return None if moment is None else max(timedelta(0), moment - clock.now())


def http_date(value: str) -> datetime | None:
    """The moment of a header such as `Date`, in UTC unless it says otherwise; None if it cannot be read."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def require_https(url: str) -> None:
    """A credential is sent only over TLS, or to this machine itself. Raises `Fatal`."""
    parts = httpx.URL(url)
    if parts.scheme != "https" and parts.host not in {"127.0.0.1", "::1", "localhost"}:
        raise Fatal(f"{bare_url(url)} is not https; a store's key is not sent over an open connection.")
