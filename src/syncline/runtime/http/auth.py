"""Who is calling, and whether they may.

A route either asks for a permission with `require(...)`, or is open and stands in the literal list that
tests/architecture checks. A credential is a bearer key or an access token; how either is looked up, and who may go over
to another tenant, is handed in by `main`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from syncline.kernel.errors import NotAllowed, Unauthenticated
from syncline.kernel.tenant import Actor, role_may

Authenticate = Callable[[str], Awaitable[Actor | None]]
"""A key or access token to the one it belongs to; None for one that is wrong, revoked or expired."""

Enter = Callable[[Actor, str], Awaitable[Actor]]
"""The same caller in the tenant that the header X-Tenant names. Raises `NotAllowed` where he does not belong."""

TICKET_PATH = "/api/live/events"

# Only so that the OpenAPI document and its "Authorize" button know the scheme; the answer 401 is ours.
_scheme = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key made with `syncline keys create`, or an access token."
)

_NO_KEY = (
    "This needs a key or a sign-in: send the header `Authorization: Bearer <key or access token>`. "
    "Make a key with `syncline keys create`, or sign in at /api/auth/login."
)
_BAD_KEY = (
    "This key or access token is not valid: it is mistyped, expired or revoked. "
    "Make a new key with `syncline keys create`, or refresh the token at /api/auth/refresh."
)


async def identify(request: Request) -> Actor:
    """The caller of this request, looked up once. Raises `Unauthenticated`."""
    known: Actor | None = getattr(request.state, "actor", None)
    if known is not None:
        return known
    actor = await _by_ticket(request) or await _by_bearer(request)
    request.state.actor = actor
    structlog.contextvars.bind_contextvars(tenant_id=str(actor.tenant_id), actor=actor.name)
    if actor.user_id is not None:
        structlog.contextvars.bind_contextvars(user_id=str(actor.user_id))
    return actor


async def _by_bearer(request: Request) -> Actor:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if not key.strip() or scheme.lower() != "bearer":
        raise Unauthenticated(_NO_KEY)
    state = request.app.state
    return await recognise(state.authenticate, state.enter, key.strip(), request.headers.get("x-tenant", "").strip())


async def _by_ticket(request: Request) -> Actor | None:
    """Where a browser cannot send a header. A ticket is good once, and for its one address only."""
    if request.url.path != TICKET_PATH or "authorization" in request.headers:
        return None
    ticket = request.query_params.get("ticket", "")
    return await request.app.state.redeem(ticket) if ticket else None


async def recognise(authenticate: Authenticate, enter: Enter, key: str, elsewhere: str) -> Actor:
    """Whose key or access token it is, gone over to the tenant `elsewhere` if one is named. Raises `Unauthenticated`,
    `NotAllowed`."""
    actor = await authenticate(key)
    if actor is None:
        raise Unauthenticated(_BAD_KEY)
    return await enter(actor, elsewhere) if elsewhere else actor


async def current_actor(request: Request, _scheme_for_openapi: Annotated[object, Depends(_scheme)]) -> Actor:
    return await identify(request)


class require:  # noqa: N801 - reads as a verb where it is used: Depends(require("changes:approve"))
    """Dependency: the caller, who must hold `permission`. Raises `Unauthenticated` or `NotAllowed`."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    async def __call__(self, actor: Annotated[Actor, Depends(current_actor)]) -> Actor:
        if not actor.may(self.permission):
            raise NotAllowed(_refusal(actor, self.permission), extra={"permission": self.permission})
        return actor


def _refusal(actor: Actor, permission: str) -> str:
    if role_may(actor.role, permission):
        return f"The key “{actor.name}” is limited to some of what its role may do; this takes {permission}."
    who = f"The key “{actor.name}” has" if actor.user_id is None else "You have"
    return f"{who} the role {actor.role}, which may not do this; it takes {permission}."


async def require_key_unless_open(request: Request) -> None:
    """For diagnostics: open while the installation says so, else any valid key."""
    if not request.app.state.open_diagnostics:
        await identify(request)


def permission_of(route: object) -> str | None:
    """The permission a route asks for, or None when it asks for none."""
    if not isinstance(route, APIRoute):
        return None
    for call in _calls(route.dependant):
        if isinstance(call, require):
            return call.permission
    return None


def _calls(dependant: Dependant) -> Iterator[Any]:
    for needed in dependant.dependencies:
        yield needed.call
        yield from _calls(needed)
