"""Group commit: one transaction for many callers, and what each of them is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import psycopg
import pytest
from psycopg import sql

from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.errors import ConnectionLost, DatabaseUnavailable
from syncline.runtime.db.group_commit import GroupCommit, GroupLimits, NotWrittenInTime, TooMuchWaits

_INSERT = sql.SQL(
    "insert into toy.thing (tenant_id, id, amount) select %s, id, amount from unnest(%s::bigint[], %s::bigint[])"
    " as t(id, amount) on conflict do nothing returning id"
)


class Things:
    """Writes (id, amount) into the toy table; True where the row is new."""

    def __init__(self, database: Database, tenant_id: TenantId) -> None:
        self.database, self.tenant_id = database, tenant_id
        self.batches: list[list[int]] = []
        self.begun = asyncio.Event()

    async def write(self, items: Sequence[tuple[int, int]]) -> list[bool]:
        self.batches.append([number for number, _ in items])
        self.begun.set()
        async with self.database.writing(self.tenant_id) as session:
            driver = await session.driver()
            numbers, amounts = [one[0] for one in items], [one[1] for one in items]
            cursor = await driver.execute(_INSERT, (session.tenant_id, numbers, amounts))
            new = {row[0] for row in await cursor.fetchall()}
        return [number in new for number in numbers]

    async def kept(self) -> int:
        async with self.database.reading(self.tenant_id) as session:
            cursor = await (await session.driver()).execute("select count(*) from toy.thing")
            row = await cursor.fetchone()
            assert row is not None
            return int(row[0])


@pytest.fixture
def things(toy_database: Database, tenant_id: TenantId) -> Things:
    return Things(toy_database, tenant_id)


async def test_those_who_come_together_share_a_transaction(things: Things) -> None:
    group = GroupCommit("test", things.write)
    answers = await asyncio.gather(*(group.submit((number, 1)) for number in range(100)))
    assert answers == [True] * 100
    assert things.batches == [list(range(100))]
    assert await things.kept() == 100


async def test_what_comes_during_a_flush_goes_into_the_next(things: Things) -> None:
    group = GroupCommit("test", things.write)
    first = asyncio.create_task(group.submit((1, 1)))
    await things.begun.wait()
    await asyncio.gather(*(group.submit((number, 1)) for number in (2, 3)), first)
    assert things.batches == [[1], [2, 3]]


async def test_same_key_twice_in_one_batch_is_kept_once(things: Things) -> None:
    group = GroupCommit("test", things.write)
    await asyncio.gather(*(group.submit((7, amount)) for amount in (1, 2)))
    assert await group.submit((7, 3)) is False
    assert await things.kept() == 1


async def test_item_that_cannot_be_written_does_not_fail_its_neighbours(things: Things) -> None:
    too_large = 2**40  # the column is an integer
    group = GroupCommit("test", things.write)
    answers = await asyncio.gather(
        *(group.submit((number, too_large if number == 13 else 1)) for number in range(50)), return_exceptions=True
    )
    failed = [number for number, answer in enumerate(answers) if isinstance(answer, Exception)]
    assert failed == [13]
    assert isinstance(answers[13], psycopg.DataError)
    assert await things.kept() == 49
    assert len(things.batches) < 16  # halved, not one by one


async def test_lost_connection_is_told_to_everybody_and_nothing_is_kept(things: Things) -> None:
    async def killed(items: Sequence[tuple[int, int]]) -> list[bool]:
        async with things.database.writing(things.tenant_id) as session:
            driver = await session.driver()
            await driver.execute(_INSERT, (session.tenant_id, [n for n, _ in items], [a for _, a in items]))
            await driver.execute("select pg_terminate_backend(pg_backend_pid())")
        raise AssertionError

    group = GroupCommit("test", killed)
    answers = await asyncio.gather(*(group.submit((number, 1)) for number in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionLost] * 5
    assert await things.kept() == 0


async def test_group_goes_on_after_the_database_was_away(things: Things) -> None:
    calls = 0

    async def once_away(items: Sequence[tuple[int, int]]) -> list[bool]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise DatabaseUnavailable("away")
        return await things.write(items)

    group = GroupCommit("test", once_away)
    with pytest.raises(DatabaseUnavailable):
        await group.submit((1, 1))
    assert await group.submit((1, 1)) is True


async def test_large_items_are_split_over_transactions(things: Things) -> None:
    group = GroupCommit("test", things.write, size_of=lambda item: item[1], limits=GroupLimits(batch_bytes=10))
    await asyncio.gather(*(group.submit((number, 4)) for number in range(5)), group.submit((9, 40)))
    assert things.batches == [[0, 1], [2, 3], [4], [9]]


async def test_no_more_is_held_than_the_limit(things: Things) -> None:
    group = GroupCommit("test", things.write, size_of=lambda item: item[1], limits=GroupLimits(waiting_bytes=10))
    answers = await asyncio.gather(*(group.submit((number, 4)) for number in range(4)), return_exceptions=True)
    assert [isinstance(answer, TooMuchWaits) for answer in answers] == [False, False, True, True]
    assert await group.submit((5, 10)) is True


async def test_caller_does_not_wait_for_ever(things: Things) -> None:
    released = asyncio.Event()

    async def stuck(items: Sequence[tuple[int, int]]) -> list[bool]:
        await released.wait()
        return await things.write(items)

    group = GroupCommit("test", stuck, limits=GroupLimits(patience_seconds=0.01))
    with pytest.raises(NotWrittenInTime):
        await group.submit((1, 1))
    released.set()
    await group.drain()
    assert await things.kept() == 1


async def test_who_stops_waiting_does_not_disturb_the_others(things: Things) -> None:
    group = GroupCommit("test", things.write)
    gone, stays = (asyncio.create_task(group.submit((number, 1))) for number in (1, 2))
    await things.begun.wait()
    gone.cancel()
    assert await stays is True
    assert await things.kept() == 2


async def test_wrong_number_of_results_answers_nobody_with_success(things: Things) -> None:
    async def forgets(items: Sequence[tuple[int, int]]) -> list[bool]:
        return (await things.write(items))[1:]

    group = GroupCommit("test", forgets)
    answers = await asyncio.gather(*(group.submit((number, 1)) for number in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError] * 3


async def test_two_transactions_at_a_time_keep_every_item_once(things: Things) -> None:
    under_way, most = 0, 0

    async def counted(items: Sequence[tuple[int, int]]) -> list[bool]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await things.write(items)
        finally:
            under_way -= 1

    group = GroupCommit("test", counted, limits=GroupLimits(batch_items=5, flushes=2))
    answers = await asyncio.gather(*(group.submit((number, 1)) for number in range(40)))
    assert (answers, most, await things.kept()) == ([True] * 40, 2, 40)
    assert await group.submit((99, 1)) is True


async def test_end_of_the_loop_leaves_nobody_waiting(things: Things) -> None:
    async def stuck(items: Sequence[tuple[int, int]]) -> list[bool]:
        things.begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    group = GroupCommit("test", stuck, limits=GroupLimits(batch_items=1))
    waiting = [asyncio.create_task(group.submit((number, 1))) for number in range(3)]
    await things.begun.wait()
    (flusher,) = [task for task in asyncio.all_tasks() if task.get_name() == "group commit test"]
    flusher.cancel()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError] * 3
