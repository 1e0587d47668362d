"""How often a caller may ask: every request is counted once, before its endpoint runs.

A route that declares `limited("event-keys:generate")` is counted under that name and no other; every other route under
the general limit, by caller for who has a valid key and by address for who has none.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from fastapi import Request
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.kernel.errors import DomainError
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import identify
from syncline.runtime.http.problems import problem_response
from syncline.runtime.limits import subject
from syncline.runtime.limits.counting import Verdict
from syncline.runtime.limits.limiter import Limiter, LimitsUnavailable
from syncline.runtime.limits.policy import ANONYMOUS, SIGNED_IN, Counts
from syncline.runtime.limits.rates import RateBook

F = TypeVar("F", bound=Callable[..., object])

_MARK = "__syncline_limited__"
UNLIMITED = frozenset({"/live", "/ready", "/health", "/api/health", "/metrics", "/api/metrics"})
"""Asked every few seconds by machines that would take a refusal for an outage."""


LOOK_UP_SECONDS = 3.0
"""A database that has not said by then who calls is asked once more by the endpoint, whose time is limited too."""


class TooManyRequests(DomainError):
    code = "LIMIT_001"
    status = 429
    title = "Too many requests"


class SyncsTooOften(TooManyRequests):
    code = "SYNC_004"


_REFUSALS: dict[str, type[TooManyRequests]] = {"full-sync:execute": SyncsTooOften}
"""Limits whose refusal has a code of its own, which callers know."""


def limited(policy: str) -> Callable[[F], F]:
    """Decorator, under the route's: this endpoint is counted under `policy` instead of the general limit."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, _MARK, policy)
        return endpoint

    return mark


def limit_named_by(route: APIRoute) -> str | None:
    """The policy a route declares, or None where the general limit holds."""
    name: str | None = getattr(route.endpoint, _MARK, None)
    return name


def limits_by_route(routes: Iterable[APIRoute]) -> Callable[[str, str], str | None]:
    """The declared policy for a method and path. Few routes are marked, so they are tried in turn."""
    marked: list[tuple[frozenset[str], re.Pattern[str], str]] = [
        (frozenset(route.methods or ()), route.path_regex, name)
        for route in routes
        if (name := limit_named_by(route)) is not None
    ]

    def policy_of(method: str, path: str) -> str | None:
        return next((name for methods, form, name in marked if method in methods and form.match(path)), None)

    return policy_of


class RateLimit:
    """Refuses with 429 what is beyond its limit, and tells every caller where they stand."""

    def __init__(
        self,
        app: ASGIApp,
        limiter: Limiter,
        policy_of: Callable[[str, str], str | None],
        book: RateBook | None = None,
    ) -> None:
        """`book` knows the rates that were changed while running; without it those of the settings hold."""
        self.app = app
        self.limiter = limiter
        self.policy_of = policy_of
        self.book = book

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNLIMITED:
            await self.app(scope, receive, send)
            return
        try:
            verdict = await self._count(scope)
        except LimitsUnavailable as lost:
            await problem_response(lost)(scope, receive, send)
            return
        if verdict is None:
            await self.app(scope, receive, send)
        elif verdict.allowed:
            await self.app(scope, receive, _telling(send, verdict))
        else:
            named = self.policy_of(scope["method"], scope["path"])
            await problem_response(_refusal(verdict, named), _headers(verdict))(scope, receive, send)

    async def _count(self, scope: Scope) -> Verdict | None:
        actor = await _known(scope)
        named = self.policy_of(scope["method"], scope["path"])
        name = named or (ANONYMOUS if actor is None else SIGNED_IN)
        counts = self.limiter.policies[name].counts
        if actor is None and counts is not Counts.ADDRESS:
            name, counts = ANONYMOUS, Counts.ADDRESS  # it will be told that a key is needed
        policy = self.limiter.policies[name]
        if self.book is not None:
            policy = await self.book.policy(name, None if actor is None else actor.tenant_id)
        return await self.limiter.take_under(policy, _subject(scope, actor, counts))


async def _known(scope: Scope) -> Actor | None:
    """Whoever calls; looked up once for the whole request. None for a stranger, and while nobody can be looked up: the
    endpoint then answers with the reason."""
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            return await identify(Request(scope))
    except (DomainError, SQLAlchemyError, TimeoutError):
        return None


def _subject(scope: Scope, actor: Actor | None, counts: Counts) -> str:
    if actor is None or counts is Counts.ADDRESS:
        return str(scope["client"][0]) if scope.get("client") else "unknown"
    if counts is Counts.TENANT:
        return subject.tenant(actor.tenant_id)
    return subject.caller(actor)


def _headers(verdict: Verdict) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(verdict.limit),
        "X-RateLimit-Remaining": str(verdict.remaining),
        # Seconds since 1970, as GitHub and Twitter made customary.
        "X-RateLimit-Reset": str(math.ceil(time.time() + verdict.whole_in)),
    }


def _refusal(verdict: Verdict, named: str | None) -> TooManyRequests:
    wait = max(1, math.ceil(verdict.retry_in))
    return _REFUSALS.get(named or "", TooManyRequests)(
        f"Too many requests. Try again in {_in_words(wait)}.",
        extra={"retry_after": wait, "limit": verdict.limit},
    )


def _in_words(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} seconds" if seconds != 1 else "a second"
    return f"{math.ceil(seconds / 60)} minutes"


def _telling(send: Send, verdict: Verdict) -> Send:
    headers = _headers(verdict)

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return told
