"""Several processes that hear through Redis, each a fan-out of its own here: who passes on, and what happens when Redis
or whoever passes on goes away."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import psycopg
import pytest
from redis.asyncio import Redis

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs.testing import eventually
from syncline.runtime.limits.testing import RedisServer
from syncline.runtime.live import feed, redis_fanout
from syncline.runtime.live.hub import Hub
from syncline.runtime.live.redis_fanout import PREFIX, RedisFanout

Enter = Callable[..., Any]
Say = Callable[..., Any]


@pytest.fixture
async def open_processes(database: Database) -> AsyncIterator[Callable[..., Any]]:
    """`await open_processes(url, 3)`: what each has heard, and a way to end the one at a place."""
    async with AsyncExitStack() as everything:

        async def call(url: str, count: int, *, first: int = 2) -> tuple[list[Counter[str]], list[AsyncExitStack]]:
            name, heard, ends = new_id().hex, [Counter[str]() for _ in range(count)], []
            for one in heard:
                end = await everything.enter_async_context(AsyncExitStack())
                await end.enter_async_context(RedisFanout(database, url, name=name).listen(_into(one)))
                ends.append(end)
                # The first takes the lease, and tells all to look when it listens; the others find the lease taken.
                await _has_looked(one, first if one is heard[0] else 1)
            return heard, ends

        yield call


async def _has_looked(heard: Counter[str], least: int) -> None:
    await eventually(lambda: heard[""] >= least)


def _into(heard: Counter[str]) -> Callable[[str], None]:
    return lambda tenant: heard.update([tenant])


async def connections(settings: DatabaseSettings) -> int:
    """That listen for live messages."""
    async with await psycopg.AsyncConnection.connect(str(settings.admin_url), autocommit=True) as operator:
        cursor = await operator.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query = 'LISTEN \"syncline_live\"'"
        )
        row = await cursor.fetchone()
        return int(row[0]) if row else 0


async def _is(count: int, settings: DatabaseSettings) -> bool:
    return await connections(settings) == count


async def test_one_listens_to_the_database_for_all(
    open_processes: Any, redis_server: RedisServer, say: Say, tenant_id: TenantId, database_settings: DatabaseSettings
) -> None:
    heard, _ = await open_processes(redis_server.url, 3)
    assert await connections(database_settings) == 1
    await say("one")
    await eventually(lambda: all(one[str(tenant_id)] == 1 for one in heard))


async def test_when_whoever_passes_on_goes_another_does(
    open_processes: Any, redis_server: RedisServer, say: Say, tenant_id: TenantId
) -> None:
    heard, ends = await open_processes(redis_server.url, 3)
    began = [one[""] for one in heard]
    await ends[0].aclose()
    # The next looks at everything as it begins, and tells all to do so.
    await eventually(lambda: all(one[""] > before for one, before in zip(heard[1:], began[1:], strict=True)))
    await say("one")
    await eventually(lambda: all(one[str(tenant_id)] == 1 for one in heard[1:]))
    assert heard[0][str(tenant_id)] == 0


async def test_a_lease_that_was_taken_over_is_given_up(
    open_processes: Any, redis_server: RedisServer, say: Say, tenant_id: TenantId
) -> None:
    """Whoever slept longer than its lease finds another at it."""
    heard, _ = await open_processes(redis_server.url, 1)
    async with Redis.from_url(redis_server.url, decode_responses=True) as client:
        (lease,) = [one async for one in client.scan_iter(f"{PREFIX}relay:*") if await client.exists(one)]
        await client.set(lease, "another", px=600)
    await eventually(lambda: heard[0][""] >= 3)
    await say("one")
    await eventually(lambda: heard[0][str(tenant_id)] == 1)


async def test_without_redis_the_database_says_it_and_with_it_redis_again(
    open_processes: Any, own_redis: RedisServer, say: Say, tenant_id: TenantId, database_settings: DatabaseSettings
) -> None:
    heard, _ = await open_processes(own_redis.url, 2)
    own_redis.stop()
    began = [one[""] for one in heard]
    await eventually(lambda: all(one[""] > before for one, before in zip(heard, began, strict=True)))
    await say("one")
    await eventually(lambda: all(one[str(tenant_id)] == 1 for one in heard))
    own_redis.start()
    await eventually(lambda: _is(1, database_settings))

    async def is_heard() -> bool:
        """In between all were told to look, which is as good; sooner or later the word itself comes again."""
        await say("more")
        return all(one[str(tenant_id)] >= 2 for one in heard)

    await eventually(is_heard)


async def test_a_redis_that_is_not_there_at_the_start_is_waited_for(
    open_processes: Any, own_redis: RedisServer, say: Say, tenant_id: TenantId
) -> None:
    own_redis.stop()
    heard, _ = await open_processes(own_redis.url, 2, first=1)
    await say("one")
    await eventually(lambda: all(one[str(tenant_id)] == 1 for one in heard))


async def test_a_redis_that_says_nothing_is_lost(
    database: Database, monkeypatch: pytest.MonkeyPatch, say: Say, tenant_id: TenantId
) -> None:
    """It takes the connection and never answers, as a machine does whose process is stopped."""
    monkeypatch.setattr(redis_fanout, "_PATIENCE_S", 0.2)
    held = Counter[str]()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held["opened"] += 1
        await reader.read()  # until the other side has gone
        writer.close()
        held["closed"] += 1

    silent = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    heard = Counter[str]()
    async with silent, RedisFanout(database, f"redis://127.0.0.1:{port}/0").listen(_into(heard)):
        await eventually(lambda: heard[""] >= 1)
        await say("one")
        await eventually(lambda: heard[str(tenant_id)] == 1)
    await eventually(lambda: held["opened"] == held["closed"] > 0)


async def test_watchers_miss_and_double_nothing_while_redis_comes_and_goes(
    database: Database, own_redis: RedisServer, say: Say, tenant_id: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The feeds look by themselves so rarely here that only words can wake them."""
    monkeypatch.setattr(feed, "_LOOK_EVERY_S", 3600.0)
    hub, stop, heard = Hub(database, fanout=RedisFanout(database, own_redis.url)), asyncio.Event(), list[int]()
    subscribed = asyncio.Event()

    async def take(frame: Any) -> None:
        subscribed.set()  # what comes first says from which number on he hears
        heard.extend([frame.number] if hasattr(frame, "number") else [])

    running = asyncio.create_task(hub.run(stop))
    watcher = hub.enter(tenant_id, take)
    hub.join(watcher, ["tenant"])
    await eventually(lambda: hub.is_listening)
    await subscribed.wait()
    await say("one")
    await eventually(lambda: heard == [1])
    own_redis.stop()
    await say("two", "three")
    await eventually(lambda: heard == [1, 2, 3])
    own_redis.start()
    await say("four")
    await eventually(lambda: heard == [1, 2, 3, 4])
    again: list[int] = []

    async def take_again(frame: Any) -> None:
        again.extend([frame.number] if hasattr(frame, "number") else [])

    back = hub.enter(tenant_id, take_again)
    hub.join(back, ["tenant"], after=1)
    await eventually(lambda: again == [2, 3, 4])
    hub.exit(watcher)
    hub.exit(back)
    stop.set()
    await running


async def test_it_ends_in_whatever_moment_it_is_told_to(database: Database, redis_server: RedisServer) -> None:
    listens = asyncio.Event()
    for moment in range(75):
        listens.clear()
        fanout = RedisFanout(database, redis_server.url, name=new_id().hex)
        async with asyncio.timeout(10), fanout.listen(lambda _: listens.set()):
            await listens.wait()
            for _ in range(moment % 25):
                await asyncio.sleep(0)
