"""Firing schedules: each time once, however many workers there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.sql import SQL

from syncline.runtime.jobs import store
from syncline.runtime.jobs.cron import next_time
from syncline.runtime.jobs.job import Job, Schedule

_DROP_OLD = SQL("DELETE FROM jobs.schedule WHERE job = ANY (%s) AND NOT (cron = ANY (%s))")
_ADD = SQL("INSERT INTO jobs.schedule (job, cron, next_at) VALUES (%s, %s, %s) ON CONFLICT (job, cron) DO NOTHING")
_NOW = SQL("SELECT clock_timestamp()")
_DUE = SQL("""
SELECT job, cron FROM jobs.schedule
WHERE next_at <= clock_timestamp() AND job = ANY (%s) AND cron = ANY (%s)
ORDER BY next_at FOR UPDATE SKIP LOCKED
""")
_FIRED = SQL("UPDATE jobs.schedule SET next_at = %s, fired_at = now() WHERE job = %s AND cron = %s")


async def declare(connection: psycopg.AsyncConnection[Any], schedules: Sequence[Schedule]) -> None:
    """Makes the stored schedules of these jobs the given ones. What is there already keeps its next time."""
    if not schedules:
        return
    async with connection.transaction():
        await connection.execute(_DROP_OLD, ([s.job for s in schedules], [s.cron for s in schedules]))
        now = await _database_now(connection)
        for each in schedules:
            await connection.execute(_ADD, (each.job, each.cron, next_time(each.cron, now)))


async def fire_due(
    connection: psycopg.AsyncConnection[Any], schedules: Sequence[Schedule], jobs: Mapping[str, Job]
) -> list[str]:
    """Enqueues the job of every schedule that is due, and moves it on, in one transaction: whoever holds the row fires
    it, the others pass by. The database's clock decides, so that workers with different clocks agree."""
    if not schedules:
        return []
    async with connection.transaction():
        names, crons = [s.job for s in schedules], [s.cron for s in schedules]
        due = await (await connection.execute(_DUE, (names, crons))).fetchall()
        if not due:
            return []
        now = await _database_now(connection)
        for name, cron in due:
            await store.enqueue(connection, store.entry(jobs[name], None, {}, key=f"schedule:{cron}"))
            await connection.execute(_FIRED, (next_time(cron, now), name, cron))
    return [name for name, _ in due]


async def _database_now(connection: psycopg.AsyncConnection[Any]) -> datetime:
    row = await (await connection.execute(_NOW)).fetchone()
    assert row is not None
    now: datetime = row[0]
    return now.astimezone(UTC)
