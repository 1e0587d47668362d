"""Serving a double until it is stopped, in the foreground or for a parent process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping

import uvicorn
from starlette.types import ASGIApp

from syncline.main.cli.console import emit
from syncline.main.sandbox_process import watch_parent
from syncline.main.stopping import Server, Stop, signals_stop
from syncline.sandbox.server import AbortableProtocol


async def serve_double(
    application: ASGIApp,
    listener: socket.socket,
    facts: Mapping[str, object],
    *,
    parent: int | None,
    as_json: bool,
    show: Callable[[], str],
) -> None:
    """Says `facts` when it listens; returns when it is stopped, with a parent when that one ends."""
    server = Server(
        uvicorn.Config(
            application, loop="none", http=AbortableProtocol, log_config=None, access_log=False, server_header=False
        )
    )
    with signals_stop(Stop(server)):
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve(sockets=[listener]))
            await server.listening.wait()
            emit(dict(facts), as_json=as_json, show=show)
            watching = group.create_task(_stop_with_parent(parent, server))
            await serving
            watching.cancel()


async def _stop_with_parent(parent: int | None, server: Server) -> None:
    if parent is None:
        return
    with contextlib.suppress(asyncio.CancelledError):
        await watch_parent(parent)
        server.should_exit = True
