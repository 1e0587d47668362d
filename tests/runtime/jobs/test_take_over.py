"""What happens to the jobs of a worker that dies, stalls or is cut off."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.server import ServerHandle
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs import Job, JobContext, JobTakenOver, RetryPolicy, list_dead_letters, store
from syncline.runtime.jobs.testing import Fleet, eventually

# Walks through ten chunks, keeping a cursor in its table in the transaction that does the chunk's work.
VICTIM = """
import asyncio, sys
from pathlib import Path
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs import Job, Worker

async def walk(context, payload):
    while True:
        async with context.runtime.writing(context.tenant_id) as session:
            connection = await session.driver()
            done = (await (await connection.execute("SELECT count(*) FROM public.chunk")).fetchone())[0]
            if done == 10:
                return
            if done == 5 and sys.argv[2] == "stall":
                print("half", flush=True)
                await asyncio.sleep(3600)
            await connection.execute("INSERT INTO public.chunk VALUES (%s, %s)", (done, context.attempt))
            await context.hold(session)

async def main():
    database = await Database.open(DatabaseSettings(url=sys.argv[1], data_dir=Path("/nowhere"), pool_min=0))
    await Worker(database, [Job("trial.walk", walk)], runtime=database).run(asyncio.Event())

asyncio.run(main())
"""


@pytest.fixture
async def processes() -> AsyncIterator[list[asyncio.subprocess.Process]]:
    started: list[asyncio.subprocess.Process] = []
    yield started
    for process in started:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _victim(settings: DatabaseSettings, how: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-c", VICTIM, str(settings.url), how]
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


def _operator(database: Database) -> psycopg.Connection:
    return psycopg.connect(database.operator_url, autocommit=True)


@pytest.mark.process
async def test_killed_workers_job_goes_on_elsewhere(
    fleet: Fleet, database: Database, database_settings: DatabaseSettings, processes: list[asyncio.subprocess.Process]
) -> None:
    with _operator(database) as connection:
        connection.execute("CREATE TABLE public.chunk (n int PRIMARY KEY, attempt int)")
        connection.execute("GRANT ALL ON public.chunk TO syncline_app")
    await fleet.enqueue(Job("trial.walk", _nothing), {})
    victim = await _victim(database_settings, "stall")
    processes.append(victim)
    assert victim.stdout is not None
    await asyncio.wait_for(victim.stdout.readline(), 60)
    processes.append(await _victim(database_settings, "walk"))
    await asyncio.sleep(2)
    assert await fleet.scalar("SELECT count(*) FROM public.chunk") == 5
    os.kill(victim.pid, signal.SIGKILL)
    await eventually(lambda: fleet.scalar("SELECT count(*) = 10 FROM public.chunk"))
    await eventually(lambda: fleet.scalar("SELECT count(*) = 0 FROM jobs.pgqueuer"))
    assert await fleet.scalar("SELECT array_agg(attempt ORDER BY n) FROM public.chunk") == [1] * 5 + [2] * 5


async def _nothing(_: JobContext, __: dict[str, Any]) -> None:
    return


async def _steal(database: Database) -> None:
    """What another worker does when it finds a heartbeat too old."""
    with _operator(database) as connection:
        connection.execute("UPDATE jobs.pgqueuer SET attempts = attempts + 1, queue_manager_id = gen_random_uuid()")


async def test_attempt_that_ends_after_a_take_over_leaves_the_new_owner_alone(fleet: Fleet, database: Database) -> None:
    async def run(_: JobContext, __: dict[str, Any]) -> None:
        await _steal(database)

    job = Job("trial.late", run)
    (job_id,) = await fleet.enqueue(job, {})
    with capture_logs() as lines:
        fleet.start([job])
        await eventually(lambda: [line for line in lines if "taken over" in line["event"]])
    (line,) = [line for line in lines if "taken over" in line["event"]]
    assert (line["job_id"], line["outcome"], line["attempt"]) == (job_id, "successful", 1)
    assert await fleet.scalar("SELECT status::text FROM jobs.pgqueuer") == "picked"


async def test_running_attempt_is_ended_when_its_job_is_taken_over(fleet: Fleet, database: Database) -> None:
    seen: list[str] = []

    async def run(_: JobContext, __: dict[str, Any]) -> None:
        try:
            await _steal(database)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("ended")
            raise

    job = Job("trial.slow", run)
    await fleet.enqueue(job, {})
    fleet.start([job])
    await eventually(lambda: seen)


async def test_hold_refuses_to_commit_for_a_lost_job(fleet: Fleet, database: Database, tenant_id: TenantId) -> None:
    seen: list[type] = []

    async def run(context: JobContext, _: dict[str, Any]) -> None:
        try:
            async with database.writing(tenant_id) as session:
                await (await session.driver()).execute("SELECT pg_notify('x', '')")
                await context.hold(session)
                seen.append(object)
            await _steal(database)
            async with database.writing(tenant_id) as session:
                await context.hold(session)
        except JobTakenOver:
            seen.append(JobTakenOver)
            raise

    job = Job("trial.hold", run)
    await fleet.enqueue(job, {})
    fleet.start([job])
    await eventually(lambda: len(seen) == 2)
    assert seen == [object, JobTakenOver]


async def test_held_job_is_not_freed_before_the_commit(database: Database, tenant_id: TenantId) -> None:
    worker, token = new_id(), None
    job = Job("trial.hold", _nothing)
    async with database.writing(tenant_id) as session:
        await store.enqueue(await session.driver(), store.entry(job, tenant_id, {}))
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        (claim,) = await store.claim(connection, worker, f"trial.hold@{tenant_id.hex}", 1)
        token = claim.token
        async with database.writing(tenant_id) as session:
            assert await store.hold(await session.driver(), token)
            assert await store.free_dead(connection, timedelta(0)) == []
            assert set(await store.beat(connection, worker, [claim.job_id])) == {claim.job_id}
        assert await store.free_dead(connection, timedelta(0)) == [(claim.job_id, "trial.hold")]


async def test_job_that_keeps_killing_its_worker_is_given_up(
    fleet: Fleet, database: Database, tenant_id: TenantId
) -> None:
    job = Job("trial.bomb", _nothing, retry=RetryPolicy(max_attempts=3))
    await fleet.enqueue(job, {})
    with _operator(database) as connection:
        connection.execute("UPDATE jobs.pgqueuer SET attempts = 3")
    fleet.start([job])
    await eventually(lambda: fleet.scalar("SELECT count(*) = 1 FROM jobs.dead_letter"))
    async with database.reading(tenant_id) as session:
        page = await list_dead_letters(session, PageRequest())
    assert "ended with its worker" in page.items[0].reason


async def test_server_that_just_started_frees_nobody(database: Database, tenant_id: TenantId) -> None:
    job = Job("trial.young", _nothing)
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        await store.enqueue(connection, store.entry(job, tenant_id, {}))
        await store.claim(connection, new_id(), f"trial.young@{tenant_id.hex}", 1)
        with _operator(database) as operator:
            operator.execute("UPDATE jobs.pgqueuer SET heartbeat = now() - interval '1 year'")
        assert await store.free_dead(connection, timedelta(days=300)) == []


async def test_connections_that_are_cut_come_back_and_the_job_goes_on(fleet: Fleet, database: Database) -> None:
    calls: list[int] = []
    go_on = asyncio.Event()

    async def run(context: JobContext, payload: dict[str, Any]) -> None:
        calls.append(context.attempt)
        if payload.get("wait"):
            await go_on.wait()

    job = Job("trial.cut", run)
    await fleet.enqueue(job, {"wait": True})
    fleet.start([job])
    await eventually(lambda: calls)
    with _operator(database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await asyncio.sleep(1.5)
    go_on.set()
    await fleet.enqueue(job, {})
    await eventually(lambda: fleet.scalar("SELECT count(*) = 0 FROM jobs.pgqueuer"))
    assert calls == [1, 1]


@pytest.mark.process
async def test_server_killed_in_the_middle_is_started_again_and_the_job_finishes(
    own_database: Database, own_server: ServerHandle, tenant_id: TenantId
) -> None:
    calls: list[int] = []
    go_on = asyncio.Event()

    async def run(context: JobContext, _: dict[str, Any]) -> None:
        calls.append(context.attempt)
        await go_on.wait()

    job = Job("trial.restart", run)
    fleet = Fleet(own_database, tenant_id)
    (job_id,) = await fleet.enqueue(job, {})
    fleet.start([job])
    await eventually(lambda: calls)
    os.kill(own_server.postmaster_pid, signal.SIGKILL)
    await asyncio.sleep(2)
    go_on.set()
    await eventually(lambda: fleet.scalar("SELECT count(*) = 0 FROM jobs.pgqueuer"), 30)
    await fleet.stop()
    assert calls == [1]
    state = "SELECT status::text FROM jobs.pgqueuer_log WHERE job_id = %s ORDER BY id DESC LIMIT 1"
    assert await fleet.scalar(state, job_id) == "successful"
