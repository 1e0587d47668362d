"""Opening a connection so that a cancelled opener leaves none behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import psycopg

C = TypeVar("C", bound=psycopg.AsyncConnection[Any])


async def opened_whole(opening: Coroutine[Any, Any, C]) -> C:
    """The connection that `opening` makes. Who is cancelled meanwhile leaves none behind: half of one is held by nobody
    who could close it, so it is waited for (libpq's `connect_timeout` at most) and closed."""
    task = asyncio.ensure_future(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):  # told again: it still has to be closed
                await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            await task.result().close()
        raise
