"""Refuses requests while the installation or the caller's tenant is stopped, before their endpoint runs."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from fastapi import Request
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.kernel.errors import DomainError
from syncline.kernel.tenant import Actor, TenantId
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
from syncline.runtime.shared_lookups import SharedLookups

F = TypeVar("F", bound=Callable[..., object])
_Forms = Sequence[tuple[frozenset[str], re.Pattern[str]]]

UNREACHED = (DomainError, SQLAlchemyError, psycopg.Error, TimeoutError)
"""What asking a database that is away ends in."""

_MOST_TENANTS = 10_000
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_MARK = "__syncline_works_while_paused__"
_CHANGES = "__syncline_changes_stops__"
_NO_CHANGE = "__syncline_works_without_writes__"
# Who is paused can still sign in and out.
_SIGNING_IN = "/api/auth/"


def works_while_paused(endpoint: F) -> F:
    """Decorator, under the route's: this write is possible while its tenant is paused."""
    setattr(endpoint, _MARK, True)
    return endpoint


def changes_stops(endpoint: F) -> F:
    """Decorator, under the route's: this begins or ends a pause, so it is possible during one. Who is answered finds
    it in force, here at once."""
    setattr(endpoint, _CHANGES, True)
    return works_while_paused(endpoint)


def works_without_writes(endpoint: F) -> F:
    """Decorator, under the route's: possible while nothing may be changed, for without it nothing could be looked at.
    What it writes is about who looks, and nothing that people work on."""
    setattr(endpoint, _NO_CHANGE, True)
    return endpoint


@dataclass(frozen=True, slots=True)
class _Known:
    until: float
    stop: InstallationStop | None
    pauses: Sequence[Pause]


class Stops:
    """What is known of stops is kept for a moment: asking for every request would cost each a transaction. Pushes and
    pulls ask anew, in their own."""

    def __init__(self, database: Database, kept_seconds: float) -> None:
        self._database = database
        self._kept_seconds = kept_seconds
        self._known: OrderedDict[TenantId | None, _Known] = OrderedDict()
        self._lookups: SharedLookups[_Known] = SharedLookups()

    async def ask(self, tenant_id: TenantId | None) -> _Known:
        """Of the installation, and of a tenant if one is named."""
        known = self._known.get(tenant_id)
        if known is not None and known.until > time.monotonic():
            return known
        return await self._lookups.ask(tenant_id, lambda: self._look(tenant_id))

    def forget(self) -> None:
        """The next to ask learn what is so now."""
        self._known.clear()

    async def refuse_maintenance(self) -> None:
        """For what is no request, such as a WebSocket. Raises `UnderMaintenance`; nothing while the database is away,
        for then whoever knocks is told that."""
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                refuse_stopped((await self.ask(None)).stop, is_write=False)
        except UnderMaintenance:
            raise
        except UNREACHED:
            return

    async def _look(self, tenant_id: TenantId | None) -> _Known:
        if tenant_id is None:
            async with self._database.system() as session:
                stop, pauses = await installation_stop(session), list[Pause]()
        else:
            async with self._database.reading(tenant_id) as session:
                stop, pauses = await installation_stop(session), list(await list_pauses(session))
        known = self._known[tenant_id] = _Known(time.monotonic() + self._kept_seconds, stop, pauses)
        self._known.move_to_end(tenant_id)
        if len(self._known) > _MOST_TENANTS:
            self._known.popitem(last=False)
        return known


class StopGate:
    """Refuses what is stopped."""

    def __init__(self, app: ASGIApp, stops: Stops, routes: Sequence[APIRoute]) -> None:
        self.app = app
        self.stops = stops
        self.open_while_paused = _marked(routes, _MARK)
        self.open_without_writes = _marked(routes, _NO_CHANGE)
        self.changing = _marked(routes, _CHANGES)

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
        except UNREACHED:
            pass  # the database is away: the endpoint will say so
        await self.app(scope, receive, self._forgetting(send) if _is_among(self.changing, scope) else send)

    def _forgetting(self, send: Send) -> Send:
        # The transaction is closed before the answer begins.
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                self.stops.forget()
            await send(message)

        return answer

    async def _check(self, scope: Scope) -> None:
        is_write = scope["method"] not in _READING
        actor = await _caller(scope) if is_write else None
        known = await self.stops.ask(actor.tenant_id if actor else None)
        refuse_stopped(known.stop, is_write=is_write and not _is_among(self.open_without_writes, scope))
        if is_write and not (scope["path"].startswith(_SIGNING_IN) or _is_among(self.open_while_paused, scope)):
            refuse_paused(known.pauses)


def _marked(routes: Sequence[APIRoute], mark: str) -> _Forms:
    return [(frozenset(one.methods or ()), one.path_regex) for one in routes if getattr(one.endpoint, mark, False)]


def _is_among(forms: _Forms, scope: Scope) -> bool:
    return any(scope["method"] in methods and form.match(scope["path"]) for methods, form in forms)


async def _caller(scope: Scope) -> Actor | None:
    try:
        return await identify(Request(scope))
    except DomainError:
        return None  # the endpoint will say that a key is needed
