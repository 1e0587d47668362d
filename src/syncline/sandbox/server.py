"""Runs a double on a socket, with a protocol that can abort a connection.

Whoever runs the app with a uvicorn of their own gives it `http=AbortableProtocol`; without it the drop faults cannot
act and end as HTTP 500.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ABORT = "syncline.abort"
"""ASGI extension of our server: a function that aborts the TCP connection."""
TICK_SECONDS = 0.01
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class ConnectionDropped(ConnectionResetError):
    """A drop fault under a server that cannot abort connections, as in-process test clients are."""


async def drop(request: Request) -> Response:
    """Aborts the connection. The response is for the framework only: nobody receives it."""
    abort: Callable[[], None] | None = request.scope.get("extensions", {}).get(ABORT)
    if abort is None:
        raise ConnectionDropped("The sandbox dropped this connection.")
    abort()
    await asyncio.sleep(0)
    return Response(status_code=500)


class AbortableProtocol(HttpToolsProtocol):
    """Hands the application a way to abort its connection, with a TCP reset and no further byte."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {ABORT: self.abort}
        self.scope["extensions"] = extensions

    def abort(self) -> None:
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        self.transport.abort()


class _EmbeddedServer(uvicorn.Server):
    """Leaves signals to the program around it, and stops at once when asked."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            await asyncio.sleep(TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, which sleeps a tenth of a second before it looks whether anybody is still there."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        try:
            await asyncio.wait_for(self._last_answers(), self.config.timeout_graceful_shutdown)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()
        await self.lifespan.shutdown()

    async def _last_answers(self) -> None:
        while self.server_state.connections or self.server_state.tasks:
            for connection in list(self.server_state.connections):
                connection.shutdown()
            await asyncio.sleep(TICK_SECONDS if self.server_state.tasks else 0)
        for server in self.servers:
            await server.wait_closed()


def _config(app: Starlette, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=AbortableProtocol,
        ws="none",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )


@asynccontextmanager
async def running(app: Starlette, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """The app on a socket of this event loop; gives its base URL. Port 0 takes a free one."""
    server = _EmbeddedServer(_config(app, host, port))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError(f"The sandbox could not listen on {host}:{port}.")
            await asyncio.sleep(0.01)
        yield f"http://{host}:{_port(server)}"
    finally:
        server.should_exit = True
        await task


def _port(server: Any) -> int:
    return int(server.servers[0].sockets[0].getsockname()[1])
