"""Who asks what is being asked already waits for that answer, and for no older one."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

import pytest

from syncline.runtime.shared_lookups import SharedLookups


class Source:
    """Answers when it is let, with how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun: asyncio.Queue[int] = asyncio.Queue()
        self.may_answer = asyncio.Event()
        self.breaks = False

    async def look(self) -> int:
        self.asked += 1
        number = self.asked
        self.begun.put_nowait(number)
        await self.may_answer.wait()
        if self.breaks:
            raise ConnectionError("the source is away")
        return number


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def lookups() -> SharedLookups[int]:
    return SharedLookups()


async def asking(lookups: SharedLookups[int], source: Source, *keys: Hashable) -> list[asyncio.Task[int]]:
    """Asked and waiting, one for each key."""
    tasks = [asyncio.create_task(lookups.ask(key, source.look)) for key in keys]
    for _ in set(keys):
        await source.begun.get()
    return tasks


async def test_all_who_ask_at_once_are_answered_by_one_look_up(lookups: SharedLookups[int], source: Source) -> None:
    tasks = await asking(lookups, source, "a", "a", "a")
    source.may_answer.set()
    assert await asyncio.gather(*tasks) == [1, 1, 1]
    assert source.asked == 1


async def test_another_question_and_a_later_one_are_looked_up_by_themselves(
    lookups: SharedLookups[int], source: Source
) -> None:
    tasks = await asking(lookups, source, "a", "b")
    source.may_answer.set()
    assert sorted(await asyncio.gather(*tasks)) == [1, 2]
    assert await lookups.ask("a", source.look) == 3


async def test_who_stops_waiting_leaves_the_others_their_answer(lookups: SharedLookups[int], source: Source) -> None:
    first, second = await asking(lookups, source, "a", "a")
    first.cancel()
    await asyncio.wait([first])
    source.may_answer.set()
    assert first.cancelled()
    assert await second == 1


async def test_an_error_is_told_to_all_and_the_next_one_asks_anew(lookups: SharedLookups[int], source: Source) -> None:
    source.breaks = True
    tasks = await asking(lookups, source, "a", "a")
    source.may_answer.set()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in told] == [ConnectionError, ConnectionError]
    source.breaks = False
    assert await lookups.ask("a", source.look) == 2


async def test_an_error_that_nobody_waits_for_disturbs_nobody(lookups: SharedLookups[int], source: Source) -> None:
    source.breaks = True
    (only,) = await asking(lookups, source, "a")
    only.cancel()
    await asyncio.wait([only])
    source.may_answer.set()
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    source.breaks = False
    assert await lookups.ask("b", source.look) == 2
    assert complaints == []
