"""Requests as a benchmark sends them: kept connections, plain HTTP/1.1, and no more work a request than needed, for the
generator shares the machine with what it measures."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

PATIENCE_SECONDS = 5.0
HANGING_SECONDS = 60.0


@dataclass(frozen=True)
class Latencies:
    """Seconds of the requests that were answered well, sorted; how many were not; and how long all took."""

    seconds: Sequence[float]
    failed: int
    took: float

    @classmethod
    def of(cls, taken: Sequence[float], *, failed: int, took: float) -> Self:
        return cls(sorted(taken), failed, took)

    def ms(self, part: float) -> float:
        """The percentile, in milliseconds; infinite where none was answered."""
        if not self.seconds:
            return math.inf
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * part))] * 1_000

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.took


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: bytes) -> int:
        """Sends, reads the whole answer, and gives its status. Raises `TimeoutError` for a server that hangs."""
        async with asyncio.timeout(HANGING_SECONDS):
            return await self._ask(request)

    async def _ask(self, request: bytes) -> int:
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        if at < 0:
            raise RuntimeError("the answer does not state its length")
        length = int(lowered[at + 15 : lowered.index(b"\r\n", at)])
        await self.reader.readexactly(length)
        return int(head[9:12])


class Load:
    """So many connections to one server."""

    def __init__(self, connections: Sequence[_Connection]) -> None:
        self._connections = connections

    async def open_loop(self, request: bytes, *, rate: float, seconds: float) -> Latencies:
        """`rate` requests a second whether or not earlier ones are answered; each is timed from when it was due, so
        that one that had to wait for a connection counts its wait. One that found none for `PATIENCE_SECONDS` is not
        sent and counts as failed: a server that is asked for more than it can do must not make the run endless."""
        free: asyncio.Queue[_Connection] = asyncio.Queue()
        for one in self._connections:
            free.put_nowait(one)
        taken: list[float] = []
        failed = 0

        async def ask(due: float) -> None:
            nonlocal failed
            connection = await free.get()
            if time.perf_counter() - due > PATIENCE_SECONDS:
                free.put_nowait(connection)
                failed += 1
                return
            status = await connection.ask(request)
            free.put_nowait(connection)
            if status == 200:
                taken.append(time.perf_counter() - due)
            else:
                failed += 1

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                due = began + number / rate
                wait = due - time.perf_counter()
                if wait > 0:
                    await asyncio.sleep(wait)
                group.create_task(ask(due))
        return Latencies.of(taken, failed=failed, took=time.perf_counter() - began)

    async def closed_loop(self, requests: Sequence[bytes], *, seconds: float) -> Latencies:
        """Every connection asks again as soon as it is answered, one request after the other in turn."""
        taken: list[float] = []
        failed = 0
        began = time.perf_counter()
        ends = began + seconds

        async def client(connection: _Connection, first: int) -> None:
            nonlocal failed
            number = first
            while (asked := time.perf_counter()) < ends:
                status = await connection.ask(requests[number % len(requests)])
                number += 1
                if status == 200:
                    taken.append(time.perf_counter() - asked)
                else:
                    failed += 1

        await asyncio.gather(*(client(one, number) for number, one in enumerate(self._connections)))
        return Latencies.of(taken, failed=failed, took=time.perf_counter() - began)


@asynccontextmanager
async def connected(url: str, connections: int) -> AsyncIterator[Load]:
    parts = urlsplit(url)
    opened = [_Connection(*await asyncio.open_connection(parts.hostname, parts.port)) for _ in range(connections)]
    try:
        yield Load(opened)
    finally:
        for one in opened:
            one.writer.close()


def request(path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """The bytes of one request on a kept connection."""
    sent = {"Host": "bench", **({"Content-Length": str(len(body))} if body else {}), **(headers or {})}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
