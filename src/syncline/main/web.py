"""The HTTP application of this installation: the apps, who may come in, and what protects it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI

from syncline.apps.accounts.contract import KeyRing
from syncline.kernel.tenant import Actor
from syncline.main.settings import Settings
from syncline.runtime.app import App, Runtime
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.health import Check
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.live.hub import Hub, HubLimits
from syncline.runtime.live.redis_fanout import RedisFanout


def make_web(
    runtime: Runtime,
    settings: Settings,
    apps: Sequence[App],
    *,
    limiter: Limiter | None,
    checks: Sequence[Check] = (),
    hub: Hub | None = None,
) -> FastAPI:
    """As `serve` listens with it. Without a `limiter` nobody is counted, without a `hub` nobody can watch."""
    keys = runtime.contract(KeyRing)

    async def authenticate(bearer: str) -> Actor | None:
        return await keys.authenticate(bearer=bearer)

    async def enter(actor: Actor, tenant: str) -> Actor:
        return await keys.enter(actor=actor, tenant=tenant)

    return create_app(
        runtime,
        apps,
        authenticate=authenticate,
        enter=enter,
        checks=checks,
        open_diagnostics=settings.diagnostics_are_open,
        limit_bytes=settings.body_limit_bytes,
        limiter=limiter,
        protection=settings.protection,
        hub=hub,
    )


def make_hub(runtime: Runtime, settings: Settings) -> Hub:
    """Whoever runs it serves the live stream."""
    limits = HubLimits(watchers=settings.live_watchers, watchers_of_tenant=settings.live_watchers_of_tenant)
    fanout = RedisFanout(runtime.database, settings.redis_url) if settings.redis_url else None
    return Hub(runtime.database, limits, fanout)
