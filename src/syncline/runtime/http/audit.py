"""Every write over HTTP leaves an entry in the audit trail, and so does every read that declares to show people's data.

An endpoint that writes in its request's transaction (`Writing`) has its entry in that transaction. Whatever else was
asked is recorded when its outcome is known and before the caller learns of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.kernel.errors import SynclineError
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.origin import Origin, current_origin, origin
from syncline.runtime.audit.trail import record
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.http.auth import permission_of
from syncline.runtime.observe.logs import get_logger
from syncline.runtime.observe.metrics import Counter

log = get_logger(__name__)

F = TypeVar("F", bound=Callable[..., object])

LOST = Counter("syncline_audit_lost_total", "Requests whose entry could not be written to the audit trail.")
BROKEN = Counter(
    "syncline_audited_requests_broken_total", "Requests that ended in an error nobody expected.", ("error",)
)

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_MARK = "__syncline_reads_people__"


def reads_people(endpoint: F) -> F:
    """Decorator, under the route's: this address shows people's data, so that reading it leaves an entry."""
    setattr(endpoint, _MARK, True)
    return endpoint


def shows_people(route: object) -> bool:
    """Whether a route declares that it shows people's data."""
    return bool(getattr(getattr(route, "endpoint", None), _MARK, False))


class AuditTrail:
    """Records what was asked of an endpoint by somebody we know. Strangers have no trail to stand in."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self.app = app
        self.database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with origin(str(scope["client"][0]) if scope.get("client") else None) as here:
            has_begun = False

            async def answer(message: Message) -> None:
                nonlocal has_begun
                if message["type"] == "http.response.start":
                    has_begun = True
                    await self._record(scope, here, message["status"])
                await send(message)

            try:
                await self.app(scope, receive, answer)
            except Exception as error:
                # Whatever broke: an attempt to write leaves its entry, the metric shows that some end like this, and
                # the error itself rises to where it is logged and answered, once.
                BROKEN.labels(error=type(error).__name__).inc()
                if not has_begun:
                    await self._record(scope, here, 500)
                raise

    async def _record(self, scope: Scope, here: Origin, status: int) -> None:
        actor = scope.get("state", {}).get("actor")
        if not isinstance(actor, Actor) or not _is_worth_an_entry(scope):
            return
        if status < 400 and here.entries:
            return  # in the transaction of the change itself
        try:
            async with self.database.writing(actor.tenant_id) as session:
                await _note(session, scope, actor, str(status))
        except (SQLAlchemyError, SynclineError, psycopg.Error):
            # The change is made and cannot be unmade here; the log has it, and the metric wakes somebody.
            LOST.inc()
            log.exception("entry of the audit trail lost", method=scope["method"], path=scope["path"])


async def note_write(session: WriteSession, request: Request, actor: Actor) -> None:
    """The entry of a request that wrote in `session`, unless its service recorded one that says more."""
    if _is_worth_an_entry(request.scope) and not current_origin().entries:
        await _note(session, request.scope, actor, "done")


def _is_worth_an_entry(scope: Scope) -> bool:
    route = scope.get("route")
    if route is None:
        return False
    return scope["method"] not in _READING or shows_people(route)


async def _note(session: WriteSession, scope: Scope, actor: Actor, outcome: str) -> None:
    route = scope["route"]
    # What a service said it changed stands only if it did: a refusal undid it.
    told = current_origin().told() if outcome == "done" or outcome < "400" else {"details": {}}
    await record(
        session,
        actor=actor,
        action=f"{scope['method']} {getattr(route, 'path_format', scope['path'])}",
        subject=scope["path"],
        outcome=outcome,
        before=told.get("before"),
        after=told.get("after"),
        details={"permission": permission_of(route), **told["details"]},
    )
