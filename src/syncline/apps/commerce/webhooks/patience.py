"""How long one delivery waits for the database, all in all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from syncline.runtime.db.group_commit import NotWrittenInTime

T = TypeVar("T")


class Patience:
    """Of one delivery: what it has waited for once it does not wait for again. Reading what the sender sends is the
    sender's own time, and is not counted here."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    async def over(self, work: Awaitable[T]) -> T:
        """What `work` gives. Raises `NotWrittenInTime`; who stops waiting takes nothing back that was handed over."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        timer = asyncio.timeout(max(0.0, self._left))
        try:
            async with timer:
                return await work
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise NotWrittenInTime(
                "The database did not answer in time. Send it again in a moment.", extra={"retry_after": 1}
            ) from error
        finally:
            self._left -= loop.time() - began
