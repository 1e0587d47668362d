"""Webhooks that a double sends, with the vendor's own retries: one after another in the order of what happened, or many
at once."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, Protocol

import httpx

KINDS: Mapping[str, str] = {
    "webhook_lost": "a webhook is never sent",
    "webhook_duplicate": "a webhook is sent twice",
    "webhook_late": "a webhook is sent after the one that follows it",
}
MOST_KEPT = 10_000


@cache
def _trusted() -> ssl.SSLContext:
    """One for the process: reading the certificates takes longer than opening a shop."""
    return httpx.create_ssl_context()


class TakesFaults(Protocol):
    def take(self, kind: str, line: str, /) -> Any: ...


@dataclass(slots=True)
class Delivery:
    number: int
    url: str
    body: bytes
    headers: dict[str, str]
    attempts: list[int] = field(default_factory=list)
    """The answers; 0 is none."""
    state: str = "waiting"  # waiting | delivered | failed | lost

    def shown(self) -> dict[str, Any]:
        return {**asdict(self), "body": self.body.decode()}


class Deliverer:
    """`retries` are the waits in seconds after a failed attempt, `scale` shortens them; `is_final` says of a status
    that no further attempt is made."""

    def __init__(
        self,
        faults: TakesFaults,
        *,
        retries: Sequence[float] = (),
        scale: Callable[[], float] = lambda: 1.0,
        is_final: Callable[[int], bool] = lambda status: 200 <= status < 300,
        timeout: float | httpx.Timeout = 30.0,
    ) -> None:
        self._faults = faults
        self._retries = retries
        self._scale = scale
        self._is_final = is_final
        self._timeout = timeout
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._held: Delivery | None = None
        self._number = 0
        self.kept: list[Delivery] = []

    def send(self, line: str, url: str, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Queues it. `line` is what faults match, such as `POST lemlist emailsOpened`."""
        self._number += 1
        delivery = Delivery(self._number, url, body, {"Content-Type": "application/json", **headers})
        if len(self.kept) < MOST_KEPT:
            self.kept.append(delivery)
        if self._faults.take("webhook_lost", line):
            delivery.state = "lost"
            return delivery
        if self._held is None and self._faults.take("webhook_late", line):
            self._held = delivery
            return delivery
        self._queue.put_nowait(delivery)
        if self._faults.take("webhook_duplicate", line):
            self._queue.put_nowait(delivery)
        if self._held is not None:
            self._queue.put_nowait(self._held)
            self._held = None
        return delivery

    async def settled(self) -> None:
        """Returns when nothing waits any more, except what is held back until the next."""
        await self._queue.join()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=self._timeout, verify=_trusted()) as client:
            task = asyncio.create_task(self._work(client))
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _work(self, client: httpx.AsyncClient) -> None:
        while True:
            delivery = await self._queue.get()
            try:
                await self._deliver(client, delivery)
            finally:
                self._queue.task_done()

    async def _deliver(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        for wait in (*self._retries, None):
            status = await self._attempt(client, delivery)
            delivery.attempts.append(status)
            if 200 <= status < 300:
                delivery.state = "delivered"
                return
            if wait is None or self._is_final(status):
                break
            await asyncio.sleep(wait * self._scale())
        delivery.state = "failed"

    async def _attempt(self, client: httpx.AsyncClient, delivery: Delivery) -> int:
        try:
            response = await client.post(delivery.url, content=delivery.body, headers=delivery.headers)
        except httpx.HTTPError:
            return 0
        return response.status_code


class ParallelDeliverer(Deliverer):
    """Sends up to `at_once` deliveries at the same time, and waits for a further attempt beside the others: a receiver
    that is slow or gone holds nobody up. `tell` hears how each attempt ended."""

    def __init__(self, faults: TakesFaults, *, at_once: int, tell: Callable[[Delivery], None], **how: Any) -> None:
        super().__init__(faults, **how)
        self._at_once = at_once
        self._tell = tell
        self._waiting: set[asyncio.Task[None]] = set()

    def again(self, delivery: Delivery) -> None:
        """Sends what was sent before once more, as it was: the same id, the same body."""
        delivery.state = "waiting"
        self._queue.put_nowait(delivery)

    async def _work(self, client: httpx.AsyncClient) -> None:
        try:
            async with asyncio.TaskGroup() as lanes:
                for _ in range(self._at_once):
                    lanes.create_task(self._lane(client))
        finally:
            for task in self._waiting:
                task.cancel()

    async def _lane(self, client: httpx.AsyncClient) -> None:
        while True:
            delivery = await self._queue.get()
            status = await self._attempt(client, delivery)
            delivery.attempts.append(status)
            tried = len(delivery.attempts)
            if self._is_final(status) or tried > len(self._retries):
                delivery.state = "delivered" if 200 <= status < 300 else "failed"
                self._queue.task_done()
            else:
                task = asyncio.create_task(self._later(delivery, self._retries[tried - 1] * self._scale()))
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)
            self._tell(delivery)

    async def _later(self, delivery: Delivery, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._queue.put_nowait(delivery)
        self._queue.task_done()
