"""Runs the process: the API and the worker, as many of the roles as asked, until a signal."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import uvicorn

from syncline.kernel.errors import InvalidInput
from syncline.main.compose import compose, select_apps
from syncline.main.parts import Part
from syncline.main.probe import PROBE
from syncline.main.schema import open_access, schema_check
from syncline.main.settings import Settings
from syncline.main.watch import breaker_check, watch
from syncline.main.web import make_hub, make_web
from syncline.runtime.app import App, Runtime
from syncline.runtime.bus import Relay
from syncline.runtime.http.health import Check, CheckResult
from syncline.runtime.jobs import Worker
from syncline.runtime.limits.counting import CountsLost
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import with_settings
from syncline.runtime.limits.redis_counts import RedisCounts
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

ROLES = ("api", "worker")
_DRAIN_SECONDS = 20
_LARGEST_FRAME = 65_536
_SAME_WISH_SECONDS = 0.5


class BadAddress(InvalidInput):
    code = "CONF_003"
    title = "Cannot listen there"


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
    listener = listen(options.host, options.port)
    with listener:
        async with (
            open_access(settings, upgrade=options.upgrade) as access,
            compose(settings, access) as runtime,
        ):
            await _run(runtime, settings, options, listener, on_listening)


async def _run(
    runtime: Runtime,
    settings: Settings,
    options: ServeOptions,
    listener: socket.socket,
    on_listening: Callable[[str], Awaitable[None]],
) -> None:
    apps = select_apps(options.apps)
    parts = make_parts(runtime, apps, settings) if "worker" in options.roles else []
    counts = RedisCounts(settings.redis_url) if settings.redis_url else MemoryCounts()
    limiter = Limiter(counts, with_settings(dict(settings.limits)))
    redis_checks = [redis_check(counts)] if isinstance(counts, RedisCounts) else []
    is_api = "api" in options.roles
    hub = make_hub(runtime, settings) if is_api else None
    web = make_web(
        runtime,
        settings,
        apps if is_api else (),
        limiter=limiter,
        hub=hub,
        checks=[
            database_check(runtime),
            schema_check(runtime),
            breaker_check(),
            *redis_checks,
            *(part.check() for part in parts),
        ],
    )
    server = Server(
        uvicorn.Config(
            web,
            loop="none",
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=_LARGEST_FRAME,
            ws_per_message_deflate=False,  # small messages gain little, and each connection would keep its window
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # uvicorn would believe whoever calls from this machine; ours believes whom it is told
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
    )
    stop = asyncio.Event()
    with signals_stop(stop, server):
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part.keep_running(stop), name=part.name)
            group.create_task(Part("watch", partial(watch, runtime)).keep_running(stop), name="watch")
            if hub is not None:
                group.create_task(Part("live", hub.run).keep_running(stop), name="live")
            serving = group.create_task(server.serve(sockets=[listener]), name="http")
            group.create_task(_announce(server, listener, options, on_listening))
            await serving
            stop.set()
    await limiter.close()
    log.info("stopped")


def make_parts(runtime: Runtime, apps: Sequence[App], settings: Settings) -> list[Part]:
    """What the role `worker` runs."""
    worker = Worker(
        runtime.database,
        [PROBE, *(job for app in apps for job in app.jobs)],
        runtime=runtime,
        concurrency=settings.job_concurrency,
        schedules=[schedule for app in apps for schedule in app.schedules],
    )
    relay = Relay(runtime.database, [handler for app in apps for handler in app.handlers], runtime=runtime)
    return [Part("worker", worker.run), Part("relay", relay.run)]


def redis_check(counts: RedisCounts) -> Check:
    """Keeps no traffic away: without Redis limits are counted by each process, and only signing in is closed."""

    async def look() -> CheckResult:
        try:
            await counts.ping()
        except CountsLost as lost:
            return CheckResult(healthy=False, reason=f"Redis does not answer ({lost}); see SYNCLINE_REDIS_URL")
        return CheckResult(healthy=True)

    return Check("redis", look, gates_ready=False)


def database_check(runtime: Runtime) -> Check:
    async def look() -> CheckResult:
        async with runtime.database.system() as session:
            connection = await session.driver()
            version = connection.info.server_version
        return CheckResult(healthy=True, facts={"server_version": f"{version // 10000}.{version % 10000}"})

    return Check("database", look)


async def _announce(
    server: Server,
    listener: socket.socket,
    options: ServeOptions,
    on_listening: Callable[[str], Awaitable[None]],
) -> None:
    await server.listening.wait()
    url = local_url(options.host, listener.getsockname()[1])
    log.info("listening", url=url, apps=options.apps, roles=list(options.roles))
    await on_listening(url)


def local_url(host: str, port: int) -> str:
    """What to type on this machine to reach a server that listens there."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - shown, not bound
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything slow happens. Raises `BadAddress` with what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio's own loop turns Nagle's delay off in what it accepts; else each answer on a
    # kept connection waits 40 ms for the client's acknowledgement. uvloop does so in any case.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise BadAddress(f"Port {port} is in use. Choose another with --port; 0 takes a free one.") from error
        if error.errno == errno.EACCES:
            raise BadAddress(f"Port {port} needs more rights than you have. Choose one above 1023.") from error
        raise BadAddress(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
    listener.setblocking(False)
    return listener


class Server(uvicorn.Server):
    """uvicorn without its signal handling: that one raises the signal again as soon as HTTP has drained, and the
    process would die before its worker could finish."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def signals_stop(stop: asyncio.Event, server: Server) -> Iterator[None]:
    """SIGINT and SIGTERM end gracefully; asked again, it no longer waits for requests."""
    loop = asyncio.get_running_loop()
    first_at = 0.0

    def asked() -> None:
        nonlocal first_at
        if not stop.is_set():
            first_at = loop.time()
        # The kernel sends a parent-death signal once per thread of the parent; that is one wish, not two.
        server.force_exit = loop.time() - first_at > _SAME_WISH_SECONDS
        server.should_exit = True
        stop.set()

    watched = (signal.SIGINT, signal.SIGTERM)
    for name in watched:
        loop.add_signal_handler(name, asked)
    try:
        yield
    finally:
        for name in watched:
            loop.remove_signal_handler(name)
