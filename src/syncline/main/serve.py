"""Runs the process: the API and the worker, as many of the roles as asked, until a signal."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from syncline.kernel.errors import InvalidInput
from syncline.main.checks import make_checks
from syncline.main.collecting import start_left_out
from syncline.main.compose import compose, select_apps
from syncline.main.listening import handed_listener, listen, local_url
from syncline.main.own_jobs import OWN_SCHEDULES, own_jobs
from syncline.main.parts import Part
from syncline.main.schema import open_access
from syncline.main.settings import Settings
from syncline.main.stopping import Farewell, Server, Stop, signals_stop
from syncline.main.watch import watch
from syncline.main.web import make_hub, make_web
from syncline.runtime.app import App, Runtime
from syncline.runtime.bus import Relay
from syncline.runtime.db.access import Access
from syncline.runtime.jobs import Worker
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import with_settings
from syncline.runtime.limits.redis_counts import RedisCounts
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

ROLES = ("api", "worker")
_LARGEST_FRAME = 65_536
_LINGER_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """`port` 0 takes a free one. Without the role `api` the port answers only health and metrics."""

    host: str = "127.0.0.1"
    port: int = 8080
    apps: str = "all"
    roles: tuple[str, ...] = ROLES
    upgrade: bool = False


def parse_roles(text: str) -> tuple[str, ...]:
    """`api,worker`. Raises `InvalidInput` for another word, or none."""
    roles = tuple(dict.fromkeys(role.strip() for role in text.split(",") if role.strip()))
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise InvalidInput(f"--roles takes {' and '.join(ROLES)}, separated by a comma; {text!r} is not that.")
    return roles


async def serve(settings: Settings, options: ServeOptions, on_listening: Callable[[str], Awaitable[None]]) -> None:
    """Returns after a signal, when requests and jobs under way are done. `on_listening` is given the base URL."""
    listener = handed_listener(os.environ) or listen(options.host, options.port)
    with listener:
        async with (
            open_access(settings, upgrade=options.upgrade) as access,
            compose(settings, access) as runtime,
        ):
            await _run(runtime, access, settings, options, listener, on_listening)


async def _run(
    runtime: Runtime,
    access: Access,
    settings: Settings,
    options: ServeOptions,
    listener: socket.socket,
    on_listening: Callable[[str], Awaitable[None]],
) -> None:
    apps = select_apps(options.apps)
    worker = make_worker(runtime, apps, settings) if "worker" in options.roles else None
    parts = [] if worker is None else make_parts(runtime, apps, worker)
    counts = RedisCounts(settings.redis_url) if settings.redis_url else MemoryCounts()
    limiter = Limiter(counts, with_settings(dict(settings.limits)))
    is_api = "api" in options.roles
    hub = make_hub(runtime, settings) if is_api else None
    web = make_web(
        runtime,
        settings,
        apps if is_api else (),
        limiter=limiter,
        hub=hub,
        checks=[*make_checks(runtime, settings, access, counts), *(part.check() for part in parts)],
    )
    farewell = Farewell(web)
    server = Server(server_config(farewell, settings), linger_seconds=_LINGER_SECONDS)

    def begin_to_stop() -> None:
        web.state.is_stopping = farewell.is_stopping = True

    def hurry() -> None:
        if worker is not None:
            worker.hurry()

    stop = Stop(server, delay=settings.stop_delay_seconds, begin=begin_to_stop, hurry=hurry)
    with signals_stop(stop):
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part.keep_running(stop.event), name=part.name)
            group.create_task(Part("watch", partial(watch, runtime)).keep_running(stop.event), name="watch")
            if hub is not None:
                group.create_task(Part("live", hub.run).keep_running(stop.event), name="live")
            serving = group.create_task(server.serve(sockets=[listener]), name="http")
            group.create_task(_announce(server, listener, options, on_listening))
            group.create_task(_settle(server, stop.event))
            await serving
            stop.event.set()
    await limiter.close()
    log.info("stopped")


def server_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How `app` is served. Needs a loop of uvloop that runs already."""
    return uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=_LARGEST_FRAME,
        ws_per_message_deflate=False,  # small messages gain little, and each connection would keep its window
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # uvicorn would believe whoever calls from this machine; ours believes whom it is told
        timeout_graceful_shutdown=round(settings.stop_grace_seconds),
    )


def make_worker(runtime: Runtime, apps: Sequence[App], settings: Settings) -> Worker:
    return Worker(
        runtime.database,
        [*own_jobs(settings), *(job for app in apps for job in app.jobs)],
        runtime=runtime,
        concurrency=settings.job_concurrency,
        schedules=[*OWN_SCHEDULES, *(schedule for app in apps for schedule in app.schedules)],
        grace=timedelta(seconds=settings.stop_grace_seconds),
        time_limit=timedelta(seconds=settings.job_seconds),
    )


def make_parts(runtime: Runtime, apps: Sequence[App], worker: Worker) -> list[Part]:
    """What the role `worker` runs."""
    relay = Relay(runtime.database, [handler for app in apps for handler in app.handlers], runtime=runtime)
    return [Part("worker", worker.run), Part("relay", relay.run)]


async def _announce(
    server: Server,
    listener: socket.socket,
    options: ServeOptions,
    on_listening: Callable[[str], Awaitable[None]],
) -> None:
    await server.listening.wait()
    url = local_url(*listener.getsockname()[:2])
    log.info("listening", url=url, apps=options.apps, roles=list(options.roles))
    await on_listening(url)


async def _settle(server: Server, stop: asyncio.Event) -> None:
    await server.listening.wait()
    with start_left_out():
        await stop.wait()
