"""Transactions, the pool, and a server that goes away."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from syncline.kernel.errors import Unavailable
from syncline.kernel.tenant import TenantId
from syncline.runtime.db import engine
from syncline.runtime.db.engine import Database
from syncline.runtime.db.errors import ConnectionLost, DatabaseUnavailable
from syncline.runtime.db.server import ensure_server
from syncline.runtime.db.settings import DatabaseSettings

ADD = text("INSERT INTO toy.thing (tenant_id, id) VALUES (:tenant, :id)")
LOCK = text("SELECT id FROM toy.thing WHERE id = :id FOR UPDATE")
COUNT = text("SELECT count(*) FROM toy.thing")


async def count(database: Database, tenant: TenantId) -> int:
    async with database.reading(tenant) as session:
        return int(await session.scalar(COUNT) or 0)


async def count_by_writing(database: Database, tenant: TenantId) -> int:
    async with database.writing(tenant) as session:
        return int(await session.scalar(COUNT) or 0)


async def test_clean_end_commits(toy_database: Database, tenant_id: TenantId) -> None:
    async with toy_database.writing(tenant_id) as session:
        await session.execute(ADD, {"tenant": tenant_id, "id": 1})
    assert await count(toy_database, tenant_id) == 1


async def test_exception_rolls_back_and_passes_through(toy_database: Database, tenant_id: TenantId) -> None:
    async def work() -> None:
        async with toy_database.writing(tenant_id) as session:
            await session.execute(ADD, {"tenant": tenant_id, "id": 1})
            raise KeyError

    with pytest.raises(KeyError):
        await work()
    assert await count(toy_database, tenant_id) == 0


async def test_cancelled_task_rolls_back_and_returns_its_connection(
    toy_database: Database, tenant_id: TenantId
) -> None:
    started = asyncio.Event()

    async def work() -> None:
        async with toy_database.writing(tenant_id) as session:
            await session.execute(ADD, {"tenant": tenant_id, "id": 1})
            started.set()
            await session.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert toy_database.pool_status().active == 0
    assert await count(toy_database, tenant_id) == 0


async def test_a_task_cancelled_while_it_waits_for_a_connection_is_just_cancelled(
    toy_database: Database, tenant_id: TenantId
) -> None:
    limit = toy_database.pool_status().limit
    async with AsyncExitStack() as opened:
        for _ in range(limit):
            await opened.enter_async_context(toy_database.writing(tenant_id))
        task = asyncio.create_task(count_by_writing(toy_database, tenant_id))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert toy_database.pool_status().active == 0


@pytest.mark.parametrize("times", [1, 3])
async def test_who_is_cancelled_while_a_connection_opens_leaves_none_behind(
    toy_database: Database, tenant_id: TenantId, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    opened: list[psycopg.AsyncConnection[Any]] = []
    begun, may_end = asyncio.Event(), asyncio.Event()
    really = psycopg.AsyncConnection.execute

    async def slow(connection: psycopg.AsyncConnection[Any], query: Any, *rest: Any) -> Any:
        opened.append(connection)
        begun.set()
        await may_end.wait()
        return await really(connection, query, *rest)

    await toy_database.engine.dispose()
    monkeypatch.setattr(psycopg.AsyncConnection, "execute", slow)
    task = asyncio.create_task(count_by_writing(toy_database, tenant_id))
    await begun.wait()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    may_end.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert [one.closed for one in opened] == [True]
    assert toy_database.pool_status().active == 0


@pytest.mark.parametrize("end", [Database.close, Database.renew_pool])
async def test_what_is_in_use_when_its_pool_ends_is_closed_when_it_is_given_back(
    toy_settings: DatabaseSettings, tenant_id: TenantId, end: Callable[[Database], Awaitable[None]]
) -> None:
    database = await Database.open(toy_settings)
    async with database.reading(tenant_id) as session:
        driver = await session.driver()
        await end(database)
        meanwhile = driver.closed
    assert (meanwhile, driver.closed) == (False, True)
    await database.close()


async def test_what_is_opened_after_the_end_is_not_kept(toy_settings: DatabaseSettings, tenant_id: TenantId) -> None:
    database = await Database.open(toy_settings)
    await database.close()
    async with database.reading(tenant_id) as session:
        driver = await session.driver()
    assert driver.closed


async def test_who_waits_while_the_pool_is_renewed_gets_a_connection(
    toy_settings: DatabaseSettings, tenant_id: TenantId
) -> None:
    database = await Database.open(toy_settings.model_copy(update={"pool_max": 1}))
    async with database.reading(tenant_id):
        waiting = asyncio.create_task(count(database, tenant_id))
        await asyncio.sleep(0)
        await database.renew_pool()
    assert await waiting == 0
    await database.close()


async def test_commit_inside_a_block_does_not_end_the_transaction(toy_database: Database, tenant_id: TenantId) -> None:
    async def work() -> None:
        async with toy_database.writing(tenant_id) as session:
            await session.execute(ADD, {"tenant": tenant_id, "id": 1})
            await session.commit()
            raise KeyError

    with pytest.raises(KeyError):
        await work()
    assert await count(toy_database, tenant_id) == 0


async def test_of_two_that_wait_for_each_other_one_is_told_to_begin_again(
    toy_database: Database, tenant_id: TenantId
) -> None:
    async with toy_database.writing(tenant_id) as session:
        for number in (1, 2):
            await session.execute(ADD, {"tenant": tenant_id, "id": number})
    both_hold_one = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with toy_database.writing(tenant_id) as session:
            await session.execute(LOCK, {"id": first})
            await both_hold_one.wait()
            await session.execute(LOCK, {"id": second})

    outcomes = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    (told,) = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(told, DatabaseUnavailable)
    assert "nothing was changed. Try again." in str(told)


async def test_reading_refuses_to_write(toy_database: Database, tenant_id: TenantId) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with toy_database.reading(tenant_id) as session:
            await session.execute(ADD, {"tenant": tenant_id, "id": 1})


async def test_connection_that_read_can_write_again(toy_settings: DatabaseSettings, tenant_id: TenantId) -> None:
    narrow = await Database.open(toy_settings.model_copy(update={"pool_max": 1}))
    assert await count(narrow, tenant_id) == 0
    async with narrow.writing(tenant_id) as session:
        await session.execute(ADD, {"tenant": tenant_id, "id": 1})
    assert await count(narrow, tenant_id) == 1
    await narrow.close()


async def test_driver_is_the_same_transaction(toy_database: Database, tenant_id: TenantId) -> None:
    async with toy_database.writing(tenant_id) as session:
        await session.execute(ADD, {"tenant": tenant_id, "id": 1})
        cursor = await (await session.driver()).execute("SELECT count(*) FROM toy.thing")
        assert await cursor.fetchone() == (1,)


async def test_statement_error_keeps_its_class_and_hides_values(toy_database: Database, tenant_id: TenantId) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with toy_database.writing(tenant_id) as session:
            await session.execute(ADD, [{"tenant": tenant_id, "id": 777}, {"tenant": tenant_id, "id": 777}])
    assert "parameters" in str(caught.value)
    assert "(777" not in str(caught.value).partition("[SQL")[2]


async def test_system_session_has_no_tenant(toy_database: Database) -> None:
    async with toy_database.system() as session:
        with pytest.raises(LookupError):
            session.tenant  # noqa: B018 - reading it is the test


async def test_pool_opens_its_least_and_stays_below_its_most(
    toy_settings: DatabaseSettings, tenant_id: TenantId
) -> None:
    database = await Database.open(toy_settings.model_copy(update={"pool_min": 2, "pool_max": 3}))
    assert database.pool_status().idle == 2
    seen: list[int] = []
    together = asyncio.Barrier(3)

    async def work() -> None:
        async with database.reading(tenant_id):
            await together.wait()
            seen.append(database.pool_status().active)

    await asyncio.gather(*(work() for _ in range(12)))
    assert max(seen) == 3
    assert database.pool_status() == engine.PoolStatus(active=0, idle=3, limit=3)
    await database.close()


async def test_exhausted_pool_says_what_to_raise(
    toy_settings: DatabaseSettings, tenant_id: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "POOL_WAIT_SECONDS", 0.2)
    database = await Database.open(toy_settings.model_copy(update={"pool_max": 1}))
    async with database.reading(tenant_id):
        with pytest.raises(DatabaseUnavailable, match="SYNCLINE_DATABASE_POOL_MAX"):
            await count(database, tenant_id)
    await database.close()


async def test_idle_connections_that_died_are_replaced_unseen(toy_database: Database, tenant_id: TenantId) -> None:
    await asyncio.gather(*(count(toy_database, tenant_id) for _ in range(5)))
    end_connections(toy_database)
    assert await count(toy_database, tenant_id) == 0


async def test_connection_lost_in_a_transaction_is_one_retryable_error(
    toy_database: Database, tenant_id: TenantId
) -> None:
    async def work() -> None:
        async with toy_database.writing(tenant_id) as session:
            await session.execute(ADD, {"tenant": tenant_id, "id": 1})
            end_connections(toy_database)
            await session.execute(COUNT)

    with pytest.raises(ConnectionLost, match="nothing was changed") as caught:
        await work()
    assert isinstance(caught.value, Unavailable)
    assert not caught.value.in_commit
    assert await count(toy_database, tenant_id) == 0


async def test_lost_connection_is_the_same_error_for_who_went_on_after_it(
    toy_database: Database, tenant_id: TenantId
) -> None:
    """As an edge does that catches whatever a handler raised, and then writes down what became of it."""

    async def work() -> None:
        async with toy_database.writing(tenant_id) as session:
            with suppress(DBAPIError):
                async with session.begin_nested():
                    end_connections(toy_database)
                    await session.execute(COUNT)
            await session.driver()

    with pytest.raises(ConnectionLost, match="nothing was changed"):
        await work()
    assert await count(toy_database, tenant_id) == 0


async def test_connection_lost_at_commit_leaves_the_doubt_in_the_error(
    toy_database: Database, tenant_id: TenantId
) -> None:
    async def work() -> None:
        async with toy_database.writing(tenant_id) as session:
            await session.execute(ADD, {"tenant": tenant_id, "id": 1})
            end_connections(toy_database)

    with pytest.raises(ConnectionLost, match="may or may not") as caught:
        await work()
    assert caught.value.in_commit


async def test_connection_lost_in_copy_is_the_same_error(toy_database: Database, tenant_id: TenantId) -> None:
    async def work() -> None:
        async with toy_database.writing(tenant_id) as session:
            driver = await session.driver()
            await driver.execute("CREATE TEMP TABLE t (x int) ON COMMIT DROP")
            async with driver.cursor() as cursor, cursor.copy("COPY t FROM STDIN") as copy:
                end_connections(toy_database)
                await copy.write_row([1])

    with pytest.raises(ConnectionLost):
        await work()
    assert await count(toy_database, tenant_id) == 0


@pytest.mark.process
@pytest.mark.parametrize("victims", [("postmaster_pid",), ("supervisor_pid",), ("supervisor_pid", "postmaster_pid")])
async def test_embedded_server_killed_in_the_middle(
    data_dir: Path, tenant_id: TenantId, victims: tuple[str, ...]
) -> None:
    database = await Database.open(DatabaseSettings(data_dir=data_dir))
    server = ensure_server(data_dir)

    async def work() -> None:
        async with database.writing(tenant_id) as session:
            for victim in victims:
                os.kill(getattr(server, victim), signal.SIGKILL)
            await asyncio.to_thread(psutil.wait_procs, _alive(server.postmaster_pid), timeout=60)
            await session.execute(text("SELECT 1"))

    with pytest.raises(ConnectionLost):
        await work()
    for _ in range(5):
        async with database.writing(tenant_id) as session:
            assert await session.scalar(text("SELECT 1")) == 1
    server.close()
    await database.close()


async def test_server_that_is_too_old_is_refused(
    toy_settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "OLDEST_VERSION", 99)
    with pytest.raises(DatabaseUnavailable, match="PostgreSQL 18; Syncline needs 99 or newer"):
        await Database.open(toy_settings)


async def test_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://me:hidden@127.0.0.1:1/shop"
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1") as caught:
        await Database.open(DatabaseSettings(url=url, data_dir=tmp_path))
    assert "hidden" not in str(caught.value)


async def test_single_url_works_as_the_application_role(
    toy_settings: DatabaseSettings, external_role: Any, tenant_id: TenantId
) -> None:
    url = external_role("LOGIN", "GRANT syncline_app TO {role}")
    database = await Database.open(DatabaseSettings(url=url, data_dir=toy_settings.data_dir))
    async with database.writing(tenant_id) as session:
        await session.execute(ADD, {"tenant": tenant_id, "id": 1})
        assert await session.scalar(text("SELECT current_user::text")) == "syncline_app"
        assert await session.scalar(text("SHOW search_path")) == "public"
    assert database.operator_url == url
    with psycopg.connect(database.conninfo) as listener:
        assert listener.execute("SELECT current_user::text").fetchone() == ("syncline_app",)
    await database.close()


async def test_role_without_membership_is_told_what_to_grant(
    toy_settings: DatabaseSettings, external_role: Any
) -> None:
    url = external_role("LOGIN")
    with pytest.raises(DatabaseUnavailable, match=r"has not been granted.*GRANT syncline_app TO"):
        await Database.open(toy_settings.model_copy(update={"url": url}))


def end_connections(database: Database) -> None:
    """As an administrator who restarts the server would."""
    with psycopg.connect(database.operator_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE usename = 'syncline_app' AND datname = current_database()",
        )


def _alive(pid: int) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return []


async def test_a_database_of_another_encoding_is_refused(databases: Any) -> None:
    with psycopg.connect(databases.server.url("operator", "postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS plain_ascii")
        connection.execute("CREATE DATABASE plain_ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(DatabaseUnavailable, match="encoding is SQL_ASCII; Syncline needs UTF8"):
            await Database.open(databases.settings("plain_ascii"))
    finally:
        databases.drop("plain_ascii")
