"""Makes the ASGI application out of the runtime and the apps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from syncline import __version__
from syncline.kernel.errors import NotAllowed
from syncline.kernel.tenant import Actor
from syncline.runtime.app import App, HotParts, Runtime
from syncline.runtime.http import controls, figures, handlers, health, letters, limit_rates, live, openapi, trail
from syncline.runtime.http.audit import AuditTrail
from syncline.runtime.http.auth import TICKET_PATH, Authenticate, Enter
from syncline.runtime.http.head import HeadRequests
from syncline.runtime.http.health import Check, Panel
from syncline.runtime.http.hot import HotPath, handlers_of, operations_of
from syncline.runtime.http.limits import DEFAULT_LIMIT_BYTES, BodyLimit, limits_by_path
from syncline.runtime.http.live_socket import LiveSocket, SocketDoor
from syncline.runtime.http.middleware import JsonBodies
from syncline.runtime.http.protection import Protection
from syncline.runtime.http.rate_limit import RateLimit, limits_by_route
from syncline.runtime.http.stop_gate import StopGate, Stops
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.policy import with_settings
from syncline.runtime.limits.rates import RateBook
from syncline.runtime.live.hub import Hub
from syncline.runtime.live.tickets import redeem

_DESCRIPTION = """
Pull a store, see every change before it happens, approve it, push it, undo it.

Send `Authorization: Bearer <key>`; make a key with `syncline keys create`, or sign in at `/api/auth/login` and send the
access token. Every error is a problem document (RFC 9457) with a stable `code`, a sentence in `error` and a
`correlation_id` that is also in the `X-Correlation-ID` header.
"""


class Compression(GZipMiddleware):
    """Not for the live stream: small messages gain nothing, and each connection would keep 260 KB for it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        here = self.app if scope.get("path") == TICKET_PATH else super().__call__
        await here(scope, receive, send)


async def _no_ticket(_ticket: str) -> Actor | None:
    return None


async def _nobody(_key: str) -> Actor | None:
    return None


async def _nowhere_else(_actor: Actor, _tenant: str) -> Actor:
    raise NotAllowed("The header X-Tenant is not understood here. Leave it out.")


def create_app(
    runtime: Runtime | None,
    apps: Sequence[App],
    *,
    authenticate: Authenticate = _nobody,
    enter: Enter = _nowhere_else,
    checks: Sequence[Check] = (),
    routers: Sequence[APIRouter] = (),
    open_diagnostics: bool = True,
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
    limiter: Limiter | None = None,
    protection: Protection | None = None,
    hub: Hub | None = None,
) -> FastAPI:
    """The application. `runtime` None is for making the document only. `authenticate` looks a bearer key up; without it
    every key is refused. `routers` come beside those of the apps. Without a `limiter` nobody is counted;
    without `protection` no proxy and no other site is believed; without a `hub` nobody can watch."""
    app = _bare()
    app.state.runtime = runtime
    app.state.authenticate = authenticate
    app.state.enter = enter
    app.state.panel = Panel(checks)
    app.state.is_stopping = False
    app.state.open_diagnostics = open_diagnostics
    app.state.policies = limiter.policies if limiter else with_settings({})
    app.state.hub = hub
    app.state.hot_operations = operations_of(apps)
    app.state.redeem = _no_ticket if runtime is None else partial(redeem, runtime.database)
    _route(app, [*(router for one in apps for router in one.load_web().routers), *routers])
    around = protection or Protection()
    stops = None if runtime is None else Stops(runtime.database, around.stops_kept_seconds)
    routes = openapi.api_routes(app)
    app.state.rates = rates = _rates(runtime, limiter, around)
    app.user_middleware = [
        *_live(app, stops, around),
        *around.proxied(),
        *_hot(runtime, apps, limiter, rates),
        *around.edge(),
        Middleware(HeadRequests),
        *_counted(limiter, routes, rates),
        *_watched(runtime, stops, routes),
        around.time_limit(routes),
        Middleware(Compression, minimum_size=1024, compresslevel=5),
        Middleware(BodyLimit, limit_of=limits_by_path(limit_bytes, routes)),
        Middleware(JsonBodies),
    ]
    return app


def _bare() -> FastAPI:
    app: FastAPI = FastAPIOffline(
        title="Syncline",
        version=__version__,
        description=_DESCRIPTION,
        generate_unique_id_function=openapi.operation_id,
        redirect_slashes=False,
        openapi_url="/openapi.json",
        # OpenTelemetry comes with its collector, configured in one place; until then it would cost for nothing.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        swagger_ui_parameters={"persistAuthorization": True, "displayRequestDuration": True},
    )
    return app


def _route(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Our own routes first, then these; and what answers where there is none."""
    routers_of_ours = (health, figures, trail, controls, letters, limit_rates, live)
    openapi.add_routes(app, (*(part.router for part in routers_of_ours), live.logs, *routers))
    app.add_api_route("/", _home, include_in_schema=False, response_class=RedirectResponse)
    handlers.install(app)
    openapi.install(app)


def _live(app: FastAPI, stops: Stops | None, around: Protection) -> list[Middleware]:
    state = app.state
    if state.hub is None:
        return []
    door = SocketDoor(
        authenticate=state.authenticate,
        enter=state.enter,
        redeem=state.redeem,
        refuse_maintenance=None if stops is None else stops.refuse_maintenance,
        origins=frozenset(around.origins),
    )
    return [Middleware(LiveSocket, hub=state.hub, door=door)]


def _rates(runtime: Runtime | None, limiter: Limiter | None, around: Protection) -> RateBook | None:
    if runtime is None or limiter is None:
        return None
    return RateBook(runtime.database, limiter.policies, kept_seconds=around.rates_kept_seconds)


def _hot(
    runtime: Runtime | None, apps: Sequence[App], limiter: Limiter | None, rates: RateBook | None
) -> list[Middleware]:
    """Who calls is known by then, and nothing else has been done."""
    if runtime is None:
        return []
    handlers = handlers_of(apps, HotParts(runtime, limiter, rates))
    return [Middleware(HotPath, handlers=handlers)] if handlers else []


def _counted(limiter: Limiter | None, routes: Sequence[APIRoute], rates: RateBook | None) -> list[Middleware]:
    if limiter is None:
        return []
    return [Middleware(RateLimit, limiter=limiter, policy_of=limits_by_route(routes), book=rates)]


def _watched(runtime: Runtime | None, stops: Stops | None, routes: Sequence[APIRoute]) -> list[Middleware]:
    """What needs the database: whether the installation or a tenant is stopped, and the audit trail."""
    if runtime is None or stops is None:
        return []
    return [Middleware(StopGate, stops=stops, routes=routes), Middleware(AuditTrail, database=runtime.database)]


async def _home() -> Any:
    return RedirectResponse("/docs")
