"""A job that ends the process which takes it is given to two, and to no third."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs import Job, JobContext, RetryPolicy, list_dead_letters, store
from syncline.runtime.jobs.testing import Fleet, eventually
from syncline.runtime.observe.correlation import correlated

# Dies of what it is given, as a parser does that runs out of memory.
VICTIM = """
import asyncio, os, signal, sys
from pathlib import Path
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs import Job, Worker

async def parse(context, payload):
    if payload["text"] == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    print(payload["text"], flush=True)

async def main():
    database = await Database.open(DatabaseSettings(url=sys.argv[1], data_dir=Path("/nowhere"), pool_min=0))
    await Worker(database, [Job("trial.parse", parse)], runtime=database, concurrency=1).run(asyncio.Event())

asyncio.run(main())
"""


async def nothing(_: JobContext, __: dict[str, Any]) -> None:
    return


PARSE = Job("trial.parse", nothing)


async def _run_victim(settings: DatabaseSettings) -> tuple[int | None, str]:
    """How it ended, and what it did before."""
    command = [sys.executable, "-c", VICTIM, str(settings.url)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 60)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    return process.returncode, out.decode()


@pytest.mark.process
async def test_what_killed_its_worker_twice_is_a_dead_letter_and_the_others_are_done(
    fleet: Fleet, database: Database, database_settings: DatabaseSettings, tenant_id: TenantId
) -> None:
    with correlated("order-42"):
        await fleet.enqueue(PARSE, {"text": "poison"}, {"text": "bread"})
    first, second = await _run_victim(database_settings), await _run_victim(database_settings)
    taken: list[str] = []

    async def parse(_: JobContext, payload: dict[str, Any]) -> None:
        taken.append(payload["text"])

    fleet.start([Job("trial.parse", parse)])
    await eventually(lambda: fleet.scalar("SELECT count(*) = 0 FROM jobs.pgqueuer"))
    async with database.reading(tenant_id) as session:
        (letter,) = (await list_dead_letters(session, PageRequest())).items
    # Whether the second or the third does the rest depends on how long a process takes to begin: the poison comes first
    # once its first worker has been silent for long enough.
    assert (first[0], second[0]) == (-9, -9)
    assert [*first[1].splitlines(), *second[1].splitlines(), *taken].count("bread") == 1
    assert "poison" not in taken
    assert letter.reason.startswith("killed its worker twice")
    assert (letter.payload["text"], letter.attempts, letter.correlation) == ("poison", 2, "order-42")


async def _die_with(connection: store.Connection, lane: str, times: int) -> None:
    """Workers that take the job and fall silent."""
    for _ in range(times):
        (claim,) = await store.claim(connection, new_id(), lane, 1)
        assert await store.free_dead(connection, timedelta(0)) == [(claim.job_id, claim.job)]


def test_a_policy_of_many_attempts_allows_more_deaths_and_never_endlessly_many() -> None:
    policies = RetryPolicy(), RetryPolicy(max_attempts=50), RetryPolicy(max_attempts=50, max_deaths=3)
    assert [policy.deaths_allowed for policy in policies] == [2, 12, 3]


@pytest.mark.parametrize(("deaths", "runs"), [(1, 1), (2, 0)])
async def test_one_death_is_bad_luck_and_two_are_not(
    fleet: Fleet, database: Database, tenant_id: TenantId, deaths: int, runs: int
) -> None:
    calls: list[int] = []

    async def run(context: JobContext, _: dict[str, Any]) -> None:
        calls.append(context.attempt)

    await fleet.enqueue(PARSE, {})
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        await _die_with(connection, f"trial.parse@{tenant_id.hex}", deaths)
    fleet.start([Job("trial.parse", run)])
    await eventually(lambda: fleet.scalar("SELECT count(*) = 0 FROM jobs.pgqueuer"))
    assert calls == [deaths + 1] * runs
    assert await fleet.scalar("SELECT count(*) FROM jobs.dead_letter") == 1 - runs


async def test_a_job_that_keeps_what_it_does_may_lose_more_workers(
    fleet: Fleet, database: Database, tenant_id: TenantId
) -> None:
    await fleet.enqueue(PARSE, {})
    lane = f"trial.parse@{tenant_id.hex}"
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        await _die_with(connection, lane, 1)
        (claim,) = await store.claim(connection, new_id(), lane, 1)
        async with database.writing(tenant_id) as session:
            assert await store.hold(await session.driver(), claim.token)
        assert len(await store.free_dead(connection, timedelta(0))) == 1
        (claim,) = await store.claim(connection, new_id(), lane, 1)
    assert (claim.deaths, claim.attempts) == (1, 2)


async def test_what_is_undone_is_no_progress(fleet: Fleet, database: Database, tenant_id: TenantId) -> None:
    await fleet.enqueue(PARSE, {})
    lane = f"trial.parse@{tenant_id.hex}"
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        await _die_with(connection, lane, 1)
        (claim,) = await store.claim(connection, new_id(), lane, 1)
        with suppress(RuntimeError):
            async with database.writing(tenant_id) as session:
                await store.hold(await session.driver(), claim.token)
                raise RuntimeError
        assert len(await store.free_dead(connection, timedelta(0))) == 1
        (claim,) = await store.claim(connection, new_id(), lane, 1)
    assert claim.deaths == 2


async def test_a_job_that_says_so_is_given_to_more(fleet: Fleet, database: Database, tenant_id: TenantId) -> None:
    calls: list[int] = []

    async def run(context: JobContext, _: dict[str, Any]) -> None:
        calls.append(context.attempt)

    await fleet.enqueue(PARSE, {})
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        await _die_with(connection, f"trial.parse@{tenant_id.hex}", 5)
    fleet.start([Job("trial.parse", run, retry=RetryPolicy(max_attempts=10, max_deaths=6))])
    await eventually(lambda: calls)
    assert calls == [6]


async def test_a_worker_that_was_only_slow_to_answer_has_not_died_of_it(
    fleet: Fleet, database: Database, tenant_id: TenantId
) -> None:
    started = asyncio.Event()

    async def run(context: JobContext, _: dict[str, Any]) -> None:
        started.set()
        if context.attempt == 1:
            await asyncio.Event().wait()

    await fleet.enqueue(PARSE, {})
    fleet.start([Job("trial.parse", run)], concurrency=1)
    await started.wait()
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        assert len(await store.free_dead(connection, timedelta(0))) == 1
    await eventually(lambda: fleet.scalar("SELECT count(*) = 0 FROM jobs.pgqueuer WHERE headers ? 'deaths'"))
