"""How long a request may take until its answer begins."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from datetime import timedelta

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.kernel.errors import DomainError, FieldError, InvalidInput
from syncline.runtime.connect.deadline import Deadline, within
from syncline.runtime.http.limits import limits_by_path
from syncline.runtime.http.problems import problem_response
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

DEFAULT_SECONDS = 60.0
TIMEOUT_HEADER = "X-Request-Timeout"
LARGE_BODY_SECONDS = 900.0
"""For addresses that take more than the usual bytes: reading them is most of the time."""


class TookTooLong(DomainError):
    code = "REQ_504"
    status = 504
    title = "This took too long"


def seconds_by_path(default: float, routes: Iterable[APIRoute]) -> Callable[[str], float]:
    """The seconds allowed for a path."""
    usual = -1
    limit_of = limits_by_path(usual, routes)
    return lambda path: default if limit_of(path) == usual else max(default, LARGE_BODY_SECONDS)


def asked_seconds(headers: Headers) -> float:
    """How long the caller waits, by the header X-Request-Timeout; without it for ever. Raises `InvalidInput`."""
    text = headers.get(TIMEOUT_HEADER)
    if text is None:
        return math.inf
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        message = f"{TIMEOUT_HEADER} takes the seconds you wait for an answer, like 2.5; {text[:40]!r} is not that."
        raise InvalidInput(message, fields=[FieldError(TIMEOUT_HEADER, "must be a number above 0")])
    return seconds


class TimeLimit:
    """Ends what has not begun to answer in time, with 504; its transaction is rolled back. An answer that has begun,
    such as a large file, may take as long as its reader. Calls to vendors on behalf of the request end by then too.
    """

    def __init__(self, app: ASGIApp, seconds_of: Callable[[str], float]) -> None:
        self.app = app
        self.seconds_of = seconds_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            seconds = min(self.seconds_of(scope["path"]), asked_seconds(Headers(scope=scope)))
        except InvalidInput as refusal:
            await problem_response(refusal)(scope, receive, send)
            return
        limit = asyncio.timeout(seconds)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                limit.reschedule(None)
            await send(message)

        try:
            with within(Deadline.after(timedelta(seconds=seconds))):
                async with limit:
                    await self.app(scope, receive, answer)
        except TimeoutError:
            if not limit.expired():
                raise
            log.warning("request took too long", method=scope["method"], path=scope["path"], seconds=seconds)
            await problem_response(
                TookTooLong(
                    f"This was not done within {seconds:g} seconds and was stopped; nothing of it was kept. Ask for"
                    " less at once, or try again when there is less to do."
                )
            )(scope, receive, send)
