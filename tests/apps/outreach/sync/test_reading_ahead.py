"""Reading and storing at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from syncline.apps.outreach.sync.work import Step, _ahead


async def test_who_is_cancelled_while_nothing_comes_leaves_no_task_behind() -> None:
    async def silent() -> AsyncGenerator[Step, None]:
        begun.set()
        await asyncio.Event().wait()
        yield None  # type: ignore[misc]

    async def take() -> list[Step]:
        return [step async for step in _ahead(silent())]

    begun, before = asyncio.Event(), asyncio.all_tasks()
    taking = asyncio.create_task(take())
    await begun.wait()
    taking.cancel()
    await asyncio.wait([taking])
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before
