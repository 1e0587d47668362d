"""Schedules with several workers, and what was missed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from syncline.runtime.db.engine import Database
from syncline.runtime.jobs import Job, JobContext, Schedule
from syncline.runtime.jobs.cron import next_time
from syncline.runtime.jobs.schedule import declare, fire_due
from syncline.runtime.jobs.testing import Fleet, eventually


async def _nothing(_: JobContext, __: dict[str, Any]) -> None:
    return


NIGHTLY = Schedule("trial.nightly", "30 2 29 2 *")  # so rare that it does not fall due while a test runs
JOBS = {"trial.nightly": Job("trial.nightly", _nothing)}


def _make_due(database: Database, times_missed: int = 1) -> None:
    with psycopg.connect(database.operator_url, autocommit=True) as connection:
        connection.execute("UPDATE jobs.schedule SET next_at = now() - %s", (timedelta(days=times_missed),))


async def test_due_schedule_fires_once_with_two_workers(fleet: Fleet, database: Database) -> None:
    seen: list[dict[str, Any]] = []

    async def run(context: JobContext, payload: dict[str, Any]) -> None:
        seen.append(payload)
        assert context.tenant is None

    job = Job("trial.nightly", run)
    for _ in range(2):
        fleet.start([job], schedules=[NIGHTLY])
    await eventually(lambda: fleet.scalar("SELECT count(*) = 1 FROM jobs.schedule"))
    _make_due(database, times_missed=3)
    await eventually(lambda: seen)
    await asyncio.sleep(2.5)
    assert seen == [{"tenant_id": None}]
    assert await fleet.scalar("SELECT next_at > now() FROM jobs.schedule")


async def test_two_workers_at_the_same_moment_fire_once(database: Database) -> None:
    async with (
        await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as one,
        await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as two,
    ):
        await declare(one, [NIGHTLY])
        _make_due(database)
        fired = await asyncio.gather(fire_due(one, [NIGHTLY], JOBS), fire_due(two, [NIGHTLY], JOBS))
        cursor = await one.execute("SELECT count(*) FROM jobs.pgqueuer")
        assert await cursor.fetchone() == (1,)
    assert sorted(map(len, fired)) == [0, 1]


async def test_changed_cron_replaces_the_old_one_and_keeps_others(fleet: Fleet, database: Database) -> None:
    other = Schedule("other.work", "0 * * * *")
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        await declare(connection, [NIGHTLY])
        await declare(connection, [other])
        await declare(connection, [Schedule("trial.nightly", "0 4 * * *")])
    assert await fleet.scalar("SELECT array_agg(cron ORDER BY cron) FROM jobs.schedule") == ["0 * * * *", "0 4 * * *"]


async def test_declaring_again_keeps_the_next_time(fleet: Fleet, database: Database) -> None:
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        await declare(connection, [NIGHTLY])
        _make_due(database)
        await declare(connection, [NIGHTLY])
    assert await fleet.scalar("SELECT next_at < now() FROM jobs.schedule")


def test_times_are_utc() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert next_time("30 2 * * *", noon) == datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize("cron", ["", "every day", "61 * * * *"])
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match="not a cron expression"):
        Schedule("trial.nightly", cron)
