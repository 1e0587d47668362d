"""How a process ends without losing a request: who asks whether it is ready is told first, then nothing new is taken,
and whoever keeps a connection is sent away with an answer in hand."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

_SAME_WISH_SECONDS = 0.5
_LOOK_SECONDS = 0.02


class Farewell:
    """Ends each connection with its next answer once the process is stopping: its client opens the next one where it is
    taken, and none is closed while a request is on its way."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.is_stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if self.is_stopping and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self.app(scope, receive, answer)


class Server(uvicorn.Server):
    """uvicorn without its signal handling: that one raises the signal again as soon as HTTP has drained, and the
    process would die before its worker could finish."""

    def __init__(self, config: uvicorn.Config, *, linger_seconds: float = 0.0) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._linger_seconds = linger_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """A connection that was just accepted has its request on the way: it is given a moment before what is idle is
        closed, which is all that uvicorn looks at."""
        for server in self.servers:
            server.close()
        until = asyncio.get_running_loop().time() + self._linger_seconds
        while self.server_state.connections and not self.force_exit and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)  # uvicorn tells nobody when one ends
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _nothing() -> None:
    return


class Stop:
    """The wish to stop. Once: `event` is set, so that parts take nothing new, and `server` ends after `delay` seconds,
    in which a load balancer notices. Again: nobody is waited for, and `hurry` is called."""

    def __init__(
        self,
        server: Server,
        *,
        delay: float = 0.0,
        begin: Callable[[], None] = _nothing,
        hurry: Callable[[], None] = _nothing,
    ) -> None:
        self.event = asyncio.Event()
        self._server = server
        self._delay = delay
        self._begin = begin
        self._hurry = hurry
        self._first_at = 0.0

    def ask(self) -> None:
        loop = asyncio.get_running_loop()
        if not self.event.is_set():
            self._first_at = loop.time()
            log.info("stopping", delay_seconds=self._delay)
            self._begin()
            self.event.set()
            loop.call_later(self._delay, self._finish)
        # The kernel sends a parent-death signal once per thread of the parent; that is one wish, not two.
        elif loop.time() - self._first_at > _SAME_WISH_SECONDS:
            log.warning("stopping at once: what is under way is interrupted")
            self._server.force_exit = True
            self._hurry()
            self._finish()

    def _finish(self) -> None:
        self._server.should_exit = True


@contextmanager
def signals_stop(stop: Stop) -> Iterator[None]:
    """SIGINT and SIGTERM end gracefully; asked again, at once."""
    loop = asyncio.get_running_loop()
    watched = (signal.SIGINT, signal.SIGTERM)
    for name in watched:
        loop.add_signal_handler(name, stop.ask)
    try:
        yield
    finally:
        for name in watched:
            loop.remove_signal_handler(name)
