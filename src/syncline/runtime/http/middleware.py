"""Pure ASGI middleware: `Edge`, the outermost (correlation, log line, metrics, last resort), and `JsonBodies`.

Plain ASGI and not Starlette's `BaseHTTPMiddleware`, which runs the endpoint in another task: context variables set
inside would be lost, and streaming would be buffered.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.runtime.http.problems import InternalError, problem_response
from syncline.runtime.observe.correlation import accept, correlated
from syncline.runtime.observe.logs import get_logger
from syncline.runtime.observe.metrics import LATENCY_BUCKETS, Counter, Gauge, Histogram

log = get_logger(__name__)

_requests = Counter("syncline_http_requests_total", "Requests answered", ["method", "route", "status"])
_seconds = Histogram(
    "syncline_http_request_duration_seconds", "Time to the last byte", ["method", "route"], buckets=LATENCY_BUCKETS
)
in_flight = Gauge("syncline_http_requests_in_flight", "Requests being answered now")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# RFC 9110 10.2.3 and RFC 6585 4: whoever is sent away is told when to come back, also where nobody knows better.
_COME_BACK = frozenset({429, 503})
_COME_BACK_SECONDS = "5"
# Asked every few seconds by machines: worth a metric, not a line each.
_QUIET = frozenset({"/live", "/ready", "/health", "/api/health", "/metrics", "/api/metrics"})


def route_of(scope: Scope) -> str:
    """The template of the matched route (`/api/keys/{key_id}`), so that a metric has few labels; else `unmatched`."""
    route = scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    return template if isinstance(template, str) and template else "unmatched"


class Edge:
    """Gives every request its correlation id, a log line and its metrics; turns what nobody caught into a bare 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = accept(Headers(scope=scope).get("x-correlation-id"))
        started = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Correlation-ID"] = identifier
                if status in _COME_BACK:
                    headers.setdefault("Retry-After", _COME_BACK_SECONDS)
            await send(message)

        structlog.contextvars.clear_contextvars()
        with correlated(identifier), in_flight.track_inprogress():
            try:
                await self.app(scope, receive, answer)
            except Exception:
                log.exception("request failed", method=scope["method"], path=scope["path"], route=route_of(scope))
                if status:
                    # Half an answer is out; only a broken connection tells the caller that it is not whole.
                    raise
                await problem_response(
                    InternalError("Something went wrong on our side. Report the correlation id; the log has the cause.")
                )(scope, receive, answer)
            finally:
                _record(scope, status, time.perf_counter() - started)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    answered, took = _series(method if method in _METHODS else "other", route, status)
    answered.inc()
    took.observe(seconds)


@lru_cache(maxsize=5_000)
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """To find a metric's child by its labels takes longer than to count."""
    return _requests.labels(method, route, str(status)), _seconds.labels(method, route)


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = route_of(scope)
    count_request(scope["method"], route, status, seconds)
    line: Callable[..., Any] = log.debug if route in _QUIET and status < 500 else log.info
    line(
        "request",
        method=scope["method"],
        path=scope["path"],
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        client=scope["client"][0] if scope.get("client") else None,
    )


class JsonBodies:
    """A JSON body is JSON whatever its Content-Type says: `curl -d '{...}'` calls it a form.

    The first byte decides: neither a URL-encoded form nor a multipart body begins with `{` or `[`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _may_be_mislabelled(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        first: Message | None = await receive()
        if first is not None and first.get("body", b"").lstrip()[:1] in {b"{", b"["}:
            kept = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
            scope["headers"] = [*kept, (b"content-type", b"application/json")]

        async def replayed() -> Message:
            nonlocal first
            if first is not None:
                message, first = first, None
                return message
            return await receive()

        await self.app(scope, replayed, send)


def _may_be_mislabelled(headers: Headers) -> bool:
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return False
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return not (kind.startswith("multipart/") or kind == "application/json" or kind.endswith("+json"))
