"""One who watches: what waits to be sent to him, and the task that sends it while there is something to send.

A watcher who reads more slowly than is said holds up nobody. Up to `MOST_WAITING` messages wait for him; beyond that he
gets the latest state of everything, and is told which log lines he missed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from syncline.kernel.tenant import TenantId
from syncline.runtime.live.message import Message, encode, event

MOST_WAITING = 2_000


class Frame(Protocol):
    """What can be sent: `text` over a WebSocket, `event` in a stream of Server-Sent Events."""

    @property
    def text(self) -> str: ...
    @property
    def event(self) -> bytes: ...


@dataclass(frozen=True)
class Notice:
    """Something the stream says of itself: a heartbeat, a gap, an answer."""

    type: str
    more: dict[str, Any]

    @cached_property
    def text(self) -> str:
        return encode({"type": self.type, **self.more})

    @cached_property
    def event(self) -> bytes:
        return event(self.text, name=self.type)


@dataclass(frozen=True)
class Ending:
    """The last that is sent. `code` is the WebSocket's."""

    code: int
    reason: str

    @property
    def text(self) -> str:
        return self.reason

    @property
    def event(self) -> bytes:
        return Notice("end", {"reason": self.reason}).event


RESTART = Ending(1012, "The server restarts: come back with your last id.")
COME_BACK = Ending(4000, "Time is up: show your credential again, with your last id.")

Send = Callable[[Frame], Awaitable[None]]
"""Hands a frame to the connection; waits while that takes no more. Raises `OSError` when it is gone."""


def gap(after: int, upto: int, why: str) -> Notice:
    """Messages with numbers above `after` and up to `upto` are not sent."""
    return Notice("gap", {"after": after, "upto": upto, "reason": why})


class Watcher:
    """Thousands of these idle: no task, no queue and no timer of its own while nothing is said."""

    __slots__ = ("_send", "_since", "_waiting", "ended", "owner", "pump", "rooms", "slot", "tenant", "until")

    def __init__(self, tenant: TenantId, send: Send, *, until: float) -> None:
        """`until` is when his right to watch ends, by the event loop's clock."""
        self.tenant = tenant
        self.rooms: frozenset[str] = frozenset()
        self.until = until
        self.slot = 0
        self.ended = False
        self.owner: asyncio.Task[Any] | None = None
        """The connection's task: cancelled when nothing else ends it."""
        self._send = send
        self._waiting: list[Frame] | None = None
        self.pump: asyncio.Task[None] | None = None
        """Sends what waits; None while nothing does."""
        self._since = 0.0

    @property
    def busy_seconds(self) -> float:
        """How long he has been getting what waits for him."""
        return 0.0 if self.pump is None else time.monotonic() - self._since

    def offer(self, *frames: Frame) -> None:
        """Returns at once, whatever he does."""
        if self.ended:
            return
        if self._waiting is None:
            self._waiting = list(frames)
        else:
            self._waiting.extend(frames)
            if len(self._waiting) > MOST_WAITING:
                self._waiting = latest(self._waiting)
        if self.pump is None:
            self._since = time.monotonic()
            self.pump = asyncio.get_running_loop().create_task(self._send_waiting())

    def end(self, ending: Ending) -> None:
        """After what waits already. He gets nothing more."""
        self.offer(ending)
        self.ended = True

    def let_go(self) -> None:
        """The connection is gone."""
        self.ended = True
        self._waiting = None
        if self.pump is not None:
            self.pump.cancel()

    def cut(self) -> None:
        """Ends the connection of somebody who takes nothing, not even the news of the end."""
        self.let_go()
        if self.owner is not None:
            self.owner.cancel()

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                frames, self._waiting = self._waiting, None
                for frame in frames:
                    await self._send(frame)
        except (OSError, RuntimeError):
            # Gone, or closed by the server underneath between our look and our sending; the connection's own task is
            # told and ends it.
            self.ended = True
            self._waiting = None
        finally:
            self.pump = None


def latest(frames: Sequence[Frame]) -> list[Frame]:
    """Of each state the newest, in their order; log lines are left out, and a gap says so. Keeps half of `MOST_WAITING`
    at most, the newest."""
    newest = {frame.state_key: frame for frame in frames if isinstance(frame, Message) and frame.type.is_state}
    kept = [frame for frame in frames if not isinstance(frame, Message) or newest.get(frame.state_key) is frame]
    kept = kept[-MOST_WAITING // 2 :]
    left_out = {id(frame) for frame in frames} - {id(frame) for frame in kept}
    numbers = [frame.number for frame in frames if isinstance(frame, Message) and id(frame) in left_out]
    if not numbers:
        return kept
    return [gap(min(numbers) - 1, max(numbers), "You read more slowly than was said: only the latest is sent."), *kept]
