"""One look-up for all who ask the same at the same time.

What is kept for a moment is asked for by everybody at once when the moment is over. Without this each of them would
take a database connection for the same answer, just when the process has most to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class SharedLookups(Generic[V]):
    """Look-ups under way, by what they ask for. Keeps nothing of what they found. For one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[V]] = {}

    async def ask(self, key: Hashable, look_up: Callable[[], Awaitable[V]]) -> V:
        """What `look_up` returns or raises, or that of an earlier caller with an equal `key` whose look-up has not
        ended. Who stops waiting does not stop it: others wait, and a query that is cancelled costs its connection.
        Put into `key` whatever must not be older than the question."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.ensure_future(_started(look_up))
            task.add_done_callback(lambda ended: self._end(key, ended))
        return await asyncio.shield(task)

    def _end(self, key: Hashable, task: asyncio.Task[V]) -> None:
        del self._under_way[key]
        # Those who wait have it raised; when all have gone there is nobody to tell.
        if not task.cancelled():
            task.exception()


async def _started(look_up: Callable[[], Awaitable[V]]) -> V:
    return await look_up()
