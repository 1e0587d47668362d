"""Ending tasks of asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_TOLD_AGAIN_S: Final = 0.5


async def end_now(*tasks: asyncio.Task[Any]) -> None:
    """Cancels them and returns when all have ended; what they raise is nobody's any more.

    They are told again until they have ended, because a driver can lose a cancellation: redis-py sends a command under
    `asyncio.wait_for`, which before Python 3.12 drops one that comes in the moment of its answer, and psycopg raises
    `OperationalError` in its stead when the server goes away meanwhile. A loop that outlives such an error would be
    waited for without end. So this is for tasks that need no long time to clean up.
    """
    going = set(tasks)
    while going:
        for task in going:
            task.cancel()
        _, going = await asyncio.wait(going, timeout=_TOLD_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
