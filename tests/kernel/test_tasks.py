"""Tasks end though a driver loses the word that they should."""

from __future__ import annotations

import asyncio

from syncline.kernel.tasks import end_now


async def _forever(deaf_for: int) -> None:
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            deaf_for -= 1
            if deaf_for < 0:
                raise


async def _fails() -> None:
    raise ValueError


async def test_a_task_that_misses_the_word_is_told_again_and_the_others_end_too() -> None:
    tasks = [asyncio.create_task(_forever(deaf)) for deaf in (0, 2)]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end_now(*tasks)
    assert all(task.cancelled() for task in tasks)


async def test_what_ended_before_is_fine_and_its_error_is_taken() -> None:
    ended = asyncio.create_task(_fails())
    await asyncio.sleep(0)
    await end_now(ended)
    await end_now()
    assert isinstance(ended.exception(), ValueError)
