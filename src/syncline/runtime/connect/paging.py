"""Reading ahead: the next page is on its way while this one is being stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import TypeVar

T = TypeVar("T")


async def one_ahead(source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The items of `source`, each next one being fetched while the caller works on the last.

    At most one item is held, so memory stays bounded by two pages. Closing it closes the source.
    """
    task: asyncio.Task[T | _End] = asyncio.ensure_future(_next(source))
    try:
        while not isinstance(item := await task, _End):
            task = asyncio.ensure_future(_next(source))
            yield item
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        await source.aclose()


class _End:
    """What `_next` answers past the last item; StopAsyncIteration cannot travel through a task."""


async def _next(source: AsyncGenerator[T, None]) -> T | _End:
    try:
        return await anext(source)
    except StopAsyncIteration:
        return _End()
