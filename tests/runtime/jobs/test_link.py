"""A worker's own connections, and that none is left behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest

from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs.link import Listener, connect
from syncline.runtime.jobs.testing import eventually

OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


async def open_connections(operator: psycopg.AsyncConnection) -> int:
    row = await (await operator.execute(OTHERS)).fetchone()
    assert row is not None
    return int(row[0])


async def has_no_more_than(count: int, operator: psycopg.AsyncConnection) -> bool:
    return await open_connections(operator) <= count


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What is closed, is closed by the code and not by chance."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("steps", range(6))
async def test_who_is_cancelled_while_he_connects_leaves_no_connection(
    database: Database, database_settings: DatabaseSettings, steps: int
) -> None:
    async with await psycopg.AsyncConnection.connect(str(database_settings.admin_url), autocommit=True) as operator:
        before = await open_connections(operator)
        connecting = asyncio.create_task(connect(database))
        for _ in range(steps):
            await asyncio.sleep(0)
        connecting.cancel()
        await asyncio.wait([connecting])
        assert connecting.cancelled()
        # The server takes a moment to see that one is closed.
        await eventually(partial(has_no_more_than, before, operator))


@pytest.mark.usefixtures("no_collector")
async def test_what_was_opened_all_the_same_is_closed_before_the_cancelled_one_returns(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[psycopg.AsyncConnection] = []
    begun, may_end = asyncio.Event(), asyncio.Event()
    really = psycopg.AsyncConnection.connect

    async def slow(conninfo: str, **more: bool) -> psycopg.AsyncConnection:
        begun.set()
        await may_end.wait()
        opened.append(await really(conninfo, autocommit=more["autocommit"]))
        return opened[0]

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", slow)
    listener = Listener(database, ["nobody"], lambda _channel, _payload: None)
    await listener.__aenter__()
    await begun.wait()
    leaving = asyncio.create_task(listener.__aexit__(None, None, None))
    await asyncio.sleep(0)
    may_end.set()
    await leaving
    assert [one.closed for one in opened] == [True]


async def test_a_listener_hears_what_is_said_and_each_channel_once_when_it_connects(database: Database) -> None:
    heard: list[tuple[str, str]] = []
    async with Listener(database, ["one", "two"], lambda *note: heard.append(note)):
        await eventually(lambda: len(heard) == 2)
        async with database.system() as session:
            await (await session.driver()).execute("select pg_notify('two', 'hello')")
        await eventually(lambda: len(heard) == 3)
    assert heard == [("one", ""), ("two", ""), ("two", "hello")]
