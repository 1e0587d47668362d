"""Refuses requests while the installation or the caller's tenant is stopped, before their endpoint runs."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import psycopg
from fastapi import Request
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Receive, Scope, Send

from syncline.kernel.errors import DomainError
from syncline.kernel.tenant import Actor
from syncline.runtime.controls.stops import (
    InstallationStop,
    Pause,
    Paused,
    UnderMaintenance,
    WritesStopped,
    installation_stop,
    list_pauses,
    refuse_paused,
    refuse_stopped,
)
from syncline.runtime.db.engine import Database
from syncline.runtime.http.auth import identify
from syncline.runtime.http.problems import problem_response
from syncline.runtime.http.rate_limit import LOOK_UP_SECONDS, UNLIMITED

F = TypeVar("F", bound=Callable[..., object])

_MOST_TENANTS = 10_000
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_MARK = "__syncline_works_while_paused__"
# Who is paused can still sign in and out.
_SIGNING_IN = "/api/auth/"


def works_while_paused(endpoint: F) -> F:
    """Decorator, under the route's: this write is possible while its tenant is paused, for it ends the pause."""
    setattr(endpoint, _MARK, True)
    return endpoint


@dataclass(frozen=True, slots=True)
class _Known:
    until: float
    stop: InstallationStop | None
    pauses: Sequence[Pause]


class StopGate:
    """What is known of stops is kept for a moment: asking for every request would cost each a transaction. Pushes and
    pulls ask anew, in their own."""

    def __init__(self, app: ASGIApp, database: Database, routes: Sequence[APIRoute], kept_seconds: float) -> None:
        self.app = app
        self.database = database
        self.kept_seconds = kept_seconds
        self.open_to = [
            (frozenset(route.methods or ()), route.path_regex)
            for route in routes
            if getattr(route.endpoint, _MARK, False)
        ]
        self._known: OrderedDict[UUID | None, _Known] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNLIMITED:
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                await self._check(scope)
        except (UnderMaintenance, WritesStopped, Paused) as refusal:
            await problem_response(refusal)(scope, receive, send)
            return
        except (DomainError, SQLAlchemyError, psycopg.Error, TimeoutError):
            pass  # the database is away: the endpoint will say so
        await self.app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        is_write = scope["method"] not in _READING
        actor = await _caller(scope) if is_write else None
        known = await self._ask(actor)
        refuse_stopped(known.stop, is_write=is_write)
        if is_write and not self._is_open(scope):
            refuse_paused(known.pauses)

    async def _ask(self, actor: Actor | None) -> _Known:
        tenant_id = actor.tenant_id if actor else None
        known = self._known.get(tenant_id)
        if known is not None and known.until > time.monotonic():
            return known
        if tenant_id is None:
            async with self.database.system() as session:
                stop, pauses = await installation_stop(session), list[Pause]()
        else:
            async with self.database.reading(tenant_id) as session:
                stop, pauses = await installation_stop(session), list(await list_pauses(session))
        known = self._known[tenant_id] = _Known(time.monotonic() + self.kept_seconds, stop, pauses)
        self._known.move_to_end(tenant_id)
        if len(self._known) > _MOST_TENANTS:
            self._known.popitem(last=False)
        return known

    def _is_open(self, scope: Scope) -> bool:
        path, method = scope["path"], scope["method"]
        return path.startswith(_SIGNING_IN) or any(
            method in methods and form.match(path) for methods, form in self.open_to
        )


async def _caller(scope: Scope) -> Actor | None:
    try:
        return await identify(Request(scope))
    except DomainError:
        return None  # the endpoint will say that a key is needed
