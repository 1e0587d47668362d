"""What thousands of watchers cost one process: memory of each, and how long until the last of them hears.

Load model: one server process with the whole application of the API (no Redis, no limits of requests), its own
PostgreSQL; 10,000 connections on loopback from client processes of their own, over WebSockets and then over Server-Sent
Events, all of one tenant and in one room; then messages, a transaction each, one after the other has reached everybody.
Memory is the server's resident memory with all connected and quiet, less before, over their number: what the kernel
keeps for sockets is not in it. Time runs from the moment before the transaction to the last watcher's reading.

    python -m bench.watchers [--watchers 10000] [--clients 2] [--messages 20] [--write-docs]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import uvicorn
import uvloop
from bench.harness import machine, opened, print_table, write_between

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor
from syncline.main.stopping import Server
from syncline.main.targets import APPS
from syncline.runtime.http.factory import create_app
from syncline.runtime.live.announcing import announce
from syncline.runtime.live.hub import Hub, HubLimits
from syncline.runtime.live.message import MessageType, Operation

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
KINDS = {"WebSocket": "ws", "Server-Sent Events": "sse"}
_MASKED_PING = b"\x89\x80\0\0\0\0"


def raise_file_limit(wanted: int) -> None:
    """Each connection is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
        raise SystemExit(f"{wanted:,} open files are needed and {hard:,} allowed; raise the limit: ulimit -n {wanted}")


# The server.


async def serve(data_dir: Path, watchers: int) -> None:
    """Runs as a child: says where it listens and a key, then answers each line of its input with one of its own."""
    raise_file_limit(watchers + 1_000)
    async with opened(data_dir) as bench:
        hub = Hub(bench.runtime.database, HubLimits(watchers=watchers + 100, watchers_of_tenant=watchers + 100))

        async def anybody(_key: str) -> Actor:
            """Keys and sign-ins are not what is measured."""
            return bench.actor

        web = create_app(bench.runtime, APPS, authenticate=anybody, hub=hub)
        config = uvicorn.Config(
            web,
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
        server, stop = Server(config), asyncio.Event()
        with socket.create_server(("127.0.0.1", 0), backlog=4_096) as listener:
            listener.setblocking(False)
            tasks = [asyncio.create_task(server.serve(sockets=[listener])), asyncio.create_task(hub.run(stop))]
            said = asyncio.StreamReader()
            loop = asyncio.get_running_loop()
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), sys.stdin)
            _answer({"port": listener.getsockname()[1], "room": _OPERATION.room})
            while line := (await said.readline()).strip():
                if line == b"say":
                    began = time.time()
                    async with bench.runtime.database.writing(bench.actor.tenant_id) as session:
                        await announce(session, _OPERATION, MessageType.PROGRESS, _FACTS)
                    _answer({"began": began})
                else:
                    _answer({"watching": hub.watching, "rss": psutil.Process().memory_info().rss})
            stop.set()
            server.should_exit = True
            await asyncio.gather(*tasks)


_OPERATION = Operation("pull", new_id(), "bench")
_FACTS = {"stream": "products", "read": 123_456, "total": 1_000_000, "per_second": 9_876.5, "eta_seconds": 88.8}


def _answer(body: dict[str, Any]) -> None:
    print(json.dumps(body), flush=True)


# The clients.


@dataclass
class Crowd:
    """Connections of one client process, without any library: a reader that counts and keeps the time."""

    kind: str
    port: int
    room: str
    heard: int = 0
    last_at: float = 0.0
    open: int = 0

    async def connect(self, count: int) -> None:
        for at in range(0, count, 200):
            await asyncio.gather(*(self._connect_one() for _ in range(min(200, count - at))))

    async def _connect_one(self) -> None:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        await loop.create_connection(lambda: _Reader(self, ready), "127.0.0.1", self.port)
        await ready


class _Reader(asyncio.Protocol):
    def __init__(self, crowd: Crowd, ready: asyncio.Future[None]) -> None:
        self.crowd = crowd
        self.ready = ready

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        crowd = self.crowd
        host = f"Host: 127.0.0.1:{crowd.port}\r\nAuthorization: Bearer anybody\r\n"
        if crowd.kind == "ws":
            upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            transport.write(f"GET /ws HTTP/1.1\r\n{host}{upgrade}{key}\r\n".encode())
        else:
            path = f"/api/live/events?room={crowd.room}"
            transport.write(f"GET {path} HTTP/1.1\r\n{host}Accept: text/event-stream\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if not self.ready.done() and b'"welcome"' in data:
            self.transport.write(_masked(json.dumps({"type": "subscribe", "room": self.crowd.room})))
        if not self.ready.done() and b"subscribed" in data:
            self.crowd.open += 1
            self.ready.set_result(None)
        if b"operation_progress" in data:
            self.crowd.heard += 1
            self.crowd.last_at = time.time()
        if self.crowd.kind == "ws" and data[0] == 0x89:
            self.transport.write(_pong(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.open -= 1
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("closed before it was ready"))


def _masked(text: str) -> bytes:
    """A text frame as a client sends it, with a mask of zeros (RFC 6455 5.2)."""
    body = text.encode()
    return bytes([0x81, 0x80 | len(body)]) + b"\0\0\0\0" + body


def _pong(ping: bytes) -> bytes:
    return bytes([0x8A, 0x80 | ping[1]]) + b"\0\0\0\0" + ping[2 : 2 + ping[1]]


async def watch(kind: str, port: int, room: str, count: int) -> None:
    """Runs as a child: connects, then answers each line of its input with what it has heard so far."""
    raise_file_limit(count + 200)
    crowd = Crowd(kind, port, room)
    await crowd.connect(count)
    _answer({"open": crowd.open})
    said = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), sys.stdin)
    while (await said.readline()).strip():
        _answer({"heard": crowd.heard, "last_at": crowd.last_at, "open": crowd.open})


# The measurement.


@dataclass
class Child:
    """A process that is asked by lines and answers by lines."""

    process: asyncio.subprocess.Process

    async def ask(self, line: str = "?") -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        return await self.hear()

    async def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer = await self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"a process of the measurement ended with {await self.process.wait()}")
        body: dict[str, Any] = json.loads(answer)
        return body


@asynccontextmanager
async def child(*arguments: str) -> AsyncIterator[Child]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.watchers", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    try:
        yield Child(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


@dataclass(frozen=True)
class Measured:
    connect_seconds: float
    bytes_each: float
    last_ms: list[float]


async def measure(kind: str, watchers: int, clients: int, messages: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="syncline-bench-") as folder:
        await asyncio.to_thread(Path(folder).chmod, 0o755)  # the database's account passes through
        async with child("--serve", folder, "--watchers", str(watchers)) as server:
            where = await server.hear()
            before = (await server.ask())["rss"]
            share = watchers // clients
            began = time.time()
            async with contextlib.AsyncExitStack() as stack:
                watch_them = ("--watch", kind, "--port", str(where["port"]), "--room", where["room"])
                crowds = [
                    await stack.enter_async_context(child(*watch_them, "--watchers", str(share)))
                    for _ in range(clients)
                ]
                await asyncio.gather(*(crowd.hear() for crowd in crowds))
                connected = time.time() - began
                quiet = await server.ask()
                if quiet["watching"] != share * clients:
                    raise SystemExit(f"{quiet['watching']:,} of {share * clients:,} are connected")
                taken = [await _say_once(server, crowds, share, turn) for turn in range(1, messages + 1)]
        return Measured(connected, (quiet["rss"] - before) / (share * clients), taken)


async def _say_once(server: Child, crowds: list[Child], share: int, turn: int) -> float:
    """Milliseconds from before the transaction to the last watcher."""
    began = float((await server.ask("say"))["began"])
    while True:
        answers = await asyncio.gather(*(crowd.ask() for crowd in crowds))
        if all(answer["heard"] >= turn * share for answer in answers):
            return (max(float(answer["last_at"]) for answer in answers) - began) * 1_000
        if time.time() - began > 60:
            raise SystemExit(f"after a minute: {answers}")
        await asyncio.sleep(0.05)


async def main(watchers: int, clients: int, messages: int, *, write_docs: bool) -> None:
    rows = []
    for name, kind in KINDS.items():
        found = await measure(kind, watchers, clients, messages)
        ordered = sorted(found.last_ms)
        p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
        median = statistics.median(ordered)
        rows.append(
            (
                name,
                watchers,
                round(found.connect_seconds, 1),
                f"{found.bytes_each / 1024:.1f} KB",
                median,
                p95,
                ordered[-1],
            )
        )
    columns = ("over", "watchers", "connected in s", "memory each", "last hears, median ms", "p95 ms", "most ms")
    title = f"{messages} messages, {clients} client processes; {machine()}"
    text = print_table(title, columns, rows)
    if write_docs:
        write_between(PAGE, "watchers", f"{title}\n\n{text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--watch", choices=list(KINDS.values()), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--room", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.serve:
        work = serve(told.serve, told.watchers)
    elif told.watch:
        work = watch(told.watch, told.port, told.room, told.watchers)
    else:
        work = main(told.watchers, told.clients, told.messages, write_docs=told.write_docs)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
