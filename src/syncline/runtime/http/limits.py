"""How large a body may be: one default, and more for the routes that say so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.runtime.http.problems import BodyTooLarge, problem_response

F = TypeVar("F", bound=Callable[..., object])

DEFAULT_LIMIT_BYTES = 10_000_000
_MARK = "__syncline_limit_bytes__"


def accepts_bytes(limit: int) -> Callable[[F], F]:
    """Decorator, under the route's: this endpoint takes bodies of up to `limit` bytes instead of the default."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, _MARK, limit)
        return endpoint

    return mark


def limits_by_path(default: int, routes: Iterable[APIRoute]) -> Callable[[str], int]:
    """The bytes allowed for a path. Few routes are marked, so they are tried in turn."""
    marked: list[tuple[re.Pattern[str], int]] = [
        (route.path_regex, limit) for route in routes if (limit := getattr(route.endpoint, _MARK, None)) is not None
    ]

    def limit_of(path: str) -> int:
        return next((limit for pattern, limit in marked if pattern.match(path)), default)

    return limit_of


class BodyLimit:
    """Refuses a body larger than allowed: at once when its length is stated, else when it has grown too long.

    `limit_of` gives the bytes allowed for a path, so that one route (an import) may take more than the rest.
    """

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int]) -> None:
        self.app = app
        self.limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        stated = Headers(scope=scope).get("content-length", "")
        if stated.isdigit() and int(stated) > limit:
            await problem_response(too_large(limit), {"Connection": "close"})(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                # FastAPI lets an HTTPException through while it reads a body, and rewrites everything else to 400.
                raise HTTPException(413, detail=str(limit))
            return message

        await self.app(scope, counted, send)


def too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body is larger than the {limit / 1_000_000:g} MB this address takes. Send it in parts.",
        extra={"limit_bytes": limit},
    )
