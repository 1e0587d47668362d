import asyncio
from collections.abc import AsyncGenerator

import pytest

from syncline.runtime.connect.paging import one_ahead


async def test_gives_all_items_in_order() -> None:
    async def source() -> AsyncGenerator[int, None]:
        for n in range(5):
            yield n

    assert [n async for n in one_ahead(source())] == [0, 1, 2, 3, 4]


async def test_next_item_is_fetched_while_the_caller_works() -> None:
    fetched: list[int] = []

    async def source() -> AsyncGenerator[int, None]:
        for n in range(3):
            fetched.append(n)
            yield n

    items = one_ahead(source())
    assert await anext(items) == 0
    await asyncio.sleep(0.01)
    assert fetched == [0, 1]
    await items.aclose()


async def test_failure_comes_after_the_items_before_it() -> None:
    async def source() -> AsyncGenerator[int, None]:
        yield 1
        msg = "broken"
        raise RuntimeError(msg)

    items = one_ahead(source())
    assert await anext(items) == 1
    with pytest.raises(RuntimeError, match="broken"):
        await anext(items)


async def test_closing_closes_the_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[int, None]:
        try:
            while True:
                await asyncio.sleep(0)
                yield 1
        finally:
            closed.set()

    items = one_ahead(source())
    await anext(items)
    await items.aclose()
    assert closed.is_set()
