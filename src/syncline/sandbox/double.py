"""What the doubles of the outreach vendors have in common: faults, switches, counters, and the control surface.

A vendor's double says how its vendor authenticates, limits and refuses; the order in which that happens, and the faults
of connections, are the same for all and stand here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from syncline.sandbox.faults import Fault, Faults, faults_of
from syncline.sandbox.server import drop

Handler = Callable[[Request], Awaitable[Response]]

COMMON_KINDS: Mapping[str, str] = {
    "throttle": "the vendor's 429; with seconds it asks for that wait",
    "http_500": "HTTP 500 in the vendor's own shape",
    "http_502": "HTTP 502 with an HTML body, as a proxy sends it",
    "http_503": "HTTP 503 with an HTML body",
    "html": "HTTP 200 with an HTML page",
    "slow": "waits `seconds` before anything else",
    "drop_before": "aborts the TCP connection before anything is applied",
    "drop_after": "applies the request, then aborts the TCP connection without an answer",
    "truncate": "applies the request and answers with the first half of the body",
    "unauthorized": "the vendor's answer to a wrong key",
}
PROXY_PAGE = "<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>"
LINES_AT_ONCE = 500
TITLES = {502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable"}


@dataclass(slots=True)
class Counters:
    requests: int = 0
    throttled: int = 0
    unauthenticated: int = 0
    broken_off: int = 0
    """Requests whose sender hung up in the middle; nothing of them is taken."""
    by_route: Counter[str] = field(default_factory=Counter)


class Double:
    """One vendor's double. `switches` is a dataclass: how the double behaves, changeable while it runs; a field's
    `choices` metadata lists what it may be."""

    name: str

    def __init__(
        self, switches: Any, *, kinds: Mapping[str, str] | None = None, faults: str = "", seed: int = 1
    ) -> None:
        self.switches = switches
        self.faults = Faults({**COMMON_KINDS, **(kinds or {})}, seed)
        self.faults.add_all(faults)
        self.counters = Counters()

    # Each vendor's double says these for itself: none is common to all, and one that lacks it fails.

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def unauthorized(self, request: Request) -> Response | None:
        """The refusal, when the request brings no good credential."""
        raise NotImplementedError

    def wrong_key(self) -> Response:
        raise NotImplementedError

    def limited(self, request: Request) -> float | None:
        """Takes the request from the limit: the seconds to wait when it does not fit, else None."""
        raise NotImplementedError

    def too_many(self, seconds: float) -> Response:
        raise NotImplementedError

    def trouble(self) -> Response:
        """HTTP 500."""
        raise NotImplementedError

    def dress(self, response: Response) -> None:
        """Headers that every answer carries."""

    def control(self) -> list[Route]:
        """More control routes, under /sandbox/."""
        return []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What runs beside the requests."""
        yield

    # What is the same for all.

    def route(self, path: str, handler: Handler, methods: Sequence[str] = ("GET",)) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                response = await self._serve(request, handler, path)
            except ClientDisconnect:
                self.counters.broken_off += 1
                return Response(status_code=400)  # nobody reads it
            self.dress(response)
            return response

        return Route(path, endpoint, methods=list(methods))

    async def _serve(self, request: Request, handler: Handler, path: str) -> Response:
        line = request_line(request)
        self.counters.requests += 1
        self.counters.by_route[f"{request.method} {path}"] += 1
        early = await self._fail_early(request, line)
        if early is not None:
            return early
        refusal = self.unauthorized(request)
        if refusal is not None:
            self.counters.unauthenticated += 1
            return refusal
        wait = self.limited(request)
        if wait is not None:
            self.counters.throttled += 1
            return self.too_many(wait)
        response = await handler(request)
        if self.faults.take("drop_after", line):
            return await drop(request)
        if not isinstance(response, StreamingResponse) and self.faults.take("truncate", line):
            body = bytes(response.body)
            return Response(body[: len(body) // 2], response.status_code, media_type=response.media_type)
        return response

    async def _fail_early(self, request: Request, line: str) -> Response | None:
        faults = self.faults
        if slow := faults.take("slow", line):
            await asyncio.sleep(slow.seconds)
        if faults.take("drop_before", line):
            return await drop(request)
        if faults.take("http_500", line):
            return self.trouble()
        for status, name in TITLES.items():
            if faults.take(f"http_{status}", line):
                return Response(PROXY_PAGE.format(title=name), status, media_type="text/html")
        if faults.take("html", line):
            return Response(PROXY_PAGE.format(title="Just a moment..."), media_type="text/html")
        if faults.take("unauthorized", line):
            self.counters.unauthenticated += 1
            return self.wrong_key()
        if fault := faults.take("throttle", line):
            self.counters.throttled += 1
            return self.too_many(fault.seconds or 1.0)
        return None

    def all_routes(self) -> list[Route]:
        return [
            *self.routes(),
            Route("/sandbox/stats", self._stats, methods=["GET", "DELETE"]),
            Route("/sandbox/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            Route("/sandbox/switches", self._switches, methods=["GET", "POST"]),
            *self.control(),
        ]

    async def _stats(self, request: Request) -> Response:
        """GET: requests, refusals, requests by route. DELETE: from zero."""
        if request.method == "DELETE":
            self.counters = Counters()
        return answer(self.counters)

    async def _faults(self, request: Request) -> Response:
        """GET: what is on, and the kinds. POST: adds. DELETE: none any more."""
        if request.method == "DELETE":
            self.faults.clear()
        if request.method == "POST":
            try:
                added: list[Fault] = faults_of(await request.json())
                for fault in added:
                    self.faults.add(fault)
            except (ValueError, TypeError) as error:
                return answer({"error": str(error)}, 400)
        return answer({"active": [fault.shown() for fault in self.faults.active], "kinds": self.faults.kinds})

    async def _switches(self, request: Request) -> Response:
        """GET: how it behaves. POST `{"name": value, ...}`: from now on otherwise, all or none."""
        if request.method == "POST":
            try:
                set_switches(self.switches, await request.json())
            except (ValueError, TypeError) as error:
                return answer({"error": str(error)}, 400)
        return answer(asdict(self.switches))


def set_switches(switches: Any, wanted: Any) -> None:
    """Raises `ValueError` or `TypeError` with a sentence for a name, type or value that is not one, and then changes
    nothing."""
    if not isinstance(wanted, Mapping):
        raise TypeError('Send the switches as an object: {"name": value}.')
    known = {one.name: one for one in fields(switches)}
    for name, value in wanted.items():
        if name not in known:
            raise ValueError(f"There is no switch {name!r}; there are {', '.join(known)}.")
        choices = known[name].metadata.get("choices")
        if choices is not None and value not in choices:
            raise ValueError(f"{name} is one of {', '.join(map(str, choices))}, not {value!r}.")
        present = getattr(switches, name)
        fits = isinstance(value, (int, float)) if isinstance(present, float) else type(value) is type(present)
        if not fits or (isinstance(value, bool) and not isinstance(present, bool)):
            raise ValueError(f"{name} is {type(present).__name__}, not {value!r}.")
    for name, value in wanted.items():
        setattr(switches, name, value)


def choice(default: str, *others: str) -> Any:
    """A dataclass field that is one of several words."""
    return field(default=default, metadata={"choices": (default, *others)})


def serving(*doubles: tuple[str, Double]) -> Starlette:
    """Several doubles on one address, each below its own prefix (`""` for one alone)."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            ready = [asyncio.Event() for _ in doubles]
            stop = asyncio.Event()
            for (_prefix, double), up in zip(doubles, ready, strict=True):
                group.create_task(_run(double, up, stop))
            for up in ready:
                await up.wait()
            yield
            stop.set()

    routes = [
        Route(prefix + route.path, route.endpoint, methods=list(route.methods or ()))
        for prefix, double in doubles
        for route in double.all_routes()
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _run(double: Double, up: asyncio.Event, stop: asyncio.Event) -> None:
    async with double.running():
        up.set()
        await stop.wait()


def request_line(request: Request) -> str:
    return f"{request.method} {request.url.path}"


async def in_pieces(lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Many lines at once, made on the event loop: a database connection is used by one thread."""
    held: list[bytes] = []
    for line in lines:
        held.append(line)
        if len(held) == LINES_AT_ONCE:
            yield b"".join(held)
            held.clear()
    yield b"".join(held)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
