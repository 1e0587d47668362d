"""Answers hot routes before the framework sees them.

FastAPI and the middleware around it cost half of what one process can take in (measured with signed bodies of 4 KB,
docs/explanation/performance.md). What must hold for every request holds here too: a correlation id, metrics, a problem
document for each error, headers that tell a browser nothing may run. An installation under maintenance still answers:
who calls these routes would take a refusal for an outage, and what it says must not be lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from syncline.kernel.errors import DomainError
from syncline.runtime.app import App, CallerGone, HotAnswer, HotHandler, HotParts, HotRequest
from syncline.runtime.http.middleware import count_request, in_flight
from syncline.runtime.http.problems import BodyTooSlow, InternalError, problem_response
from syncline.runtime.observe.correlation import accept, correlated
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

_ALWAYS: Final = (
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
_RETRY_SECONDS: Final = 5
BODY_SECONDS: Final = 30.0
"""Who sends a body byte by byte holds a connection, and some memory, no longer than this."""


def handlers_of(apps: Sequence[App], parts: HotParts) -> dict[tuple[str, str], HotHandler]:
    """By method and path. Raises `ValueError` when two apps claim one."""
    found: dict[tuple[str, str], HotHandler] = {}
    for routes in (one for app in apps for one in app.load_web().hot_routes):
        handler = routes.make(parts)
        for path in routes.operations:
            if (routes.method, path) in found:
                raise ValueError(f"two hot routes answer {routes.method} {path}")
            found[routes.method, path] = handler
    return found


def operations_of(apps: Sequence[App]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """What the OpenAPI document says of them: path -> method -> operation."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for routes in (one for app in apps for one in app.load_web().hot_routes):
        for path, operation in routes.operations.items():
            found.setdefault(path, {})[routes.method.lower()] = operation
    return found


class HotPath:
    """Pure ASGI, around everything else."""

    def __init__(self, app: ASGIApp, handlers: Mapping[tuple[str, str], HotHandler]) -> None:
        self.app = app
        self.handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self.handlers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if handler is None:
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = scope["headers"]
        given = next((value for name, value in headers if name == b"x-correlation-id"), None)
        identifier = accept(None if given is None else given.decode("latin-1"))
        status = 0
        in_flight.inc()
        try:
            request = HotRequest(scope["path"], headers, identifier, lambda: _body(receive))
            answer = await handler(request)
            status = answer.status
            await _send(send, answer, identifier)
        except CallerGone:
            pass
        except DomainError as error:
            status = await _refuse(scope, receive, send, error, identifier)
        except Exception:
            with correlated(identifier):
                log.exception("request failed", method=scope["method"], path=scope["path"])
            if status:
                raise
            status = await _refuse(scope, receive, send, _last_resort(), identifier)
        finally:
            in_flight.dec()
            seconds = time.perf_counter() - started
            count_request(scope["method"], scope["path"], status, seconds)
            _tell(scope, status, seconds, identifier)


def _last_resort() -> InternalError:
    return InternalError("Something went wrong on our side. Report the correlation id; the log has the cause.")


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    ends = asyncio.get_running_loop().time() + BODY_SECONDS
    more = True
    while more:
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            raise BodyTooSlow(f"The body was not whole within {BODY_SECONDS:g} seconds. Send it again.") from None
        if message["type"] == "http.disconnect":
            raise CallerGone
        piece: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        if piece:
            yield piece


async def _send(send: Send, answer: HotAnswer, identifier: str) -> None:
    headers = [
        *_ALWAYS,
        (b"content-length", str(len(answer.body)).encode()),
        (b"x-correlation-id", identifier.encode()),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _refuse(scope: Scope, receive: Receive, send: Send, error: DomainError, identifier: str) -> int:
    extra = {"X-Correlation-ID": identifier, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    challenge = error.extra.get("challenge")
    if isinstance(challenge, str):
        extra["WWW-Authenticate"] = challenge
    if error.status in {429, 503}:
        extra["Retry-After"] = str(error.extra.get("retry_after", _RETRY_SECONDS))
    if error.status in {408, 413}:
        extra["Connection"] = "close"  # the rest of the body is not read
    with correlated(identifier):
        response = problem_response(error, extra)
    await response(scope, receive, send)
    return response.status_code


def _tell(scope: Scope, status: int, seconds: float, identifier: str) -> None:
    """What went well has its line with the batch it was kept in, and its correlation id in its row: a line each would
    cost a third of the whole."""
    if 200 <= status < 300:
        return
    log.info(
        "request",
        method=scope["method"],
        path=scope["path"],
        route=scope["path"],
        status=status,
        ms=round(seconds * 1000, 1),
        client=scope["client"][0] if scope.get("client") else None,
        correlation_id=identifier,
    )
