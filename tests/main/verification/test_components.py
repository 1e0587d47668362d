"""The parts of an installation, well and broken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from syncline.kernel.ids import new_id
from syncline.main.probe import PROBE
from syncline.main.targets import migration_sources
from syncline.main.testing.works import Works, open_works
from syncline.main.verification.components import check_components, check_row_security
from syncline.main.verification.finding import Finding, Verdict
from syncline.runtime.db import migrate
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs.testing import Fleet

NO_PATIENCE = timedelta(seconds=0.2)


@pytest.fixture
async def works(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Works]:
    async with open_works(database_settings, tmp_path) as opened:
        yield opened


def by_operator(works: Works, statement: LiteralString) -> None:
    with psycopg.connect(works.runtime.database.operator_url, autocommit=True) as connection:
        connection.execute(statement)


async def found(works: Works, patience: timedelta = NO_PATIENCE) -> dict[str, Finding]:
    return {one.what: one for one in await check_components(works.runtime, works.settings, patience=patience)}


async def test_with_a_worker_all_is_well(works: Works) -> None:
    fleet = Fleet(works.runtime.database, works.actor.tenant_id, works.runtime)
    fleet.start([PROBE])
    seen = await found(works, timedelta(seconds=30))
    await fleet.stop()
    assert {one.verdict for one in seen.values()} == {Verdict.OK}
    assert "a probe job was done" in seen["workers"].found
    assert {"database", "migrations", "database role", "clock", "events", "dead letters", "disk"} <= set(seen)
    assert (await check_row_security(works.runtime)).verdict is Verdict.OK


async def test_without_a_worker_the_probe_is_withdrawn(works: Works) -> None:
    workers = (await found(works))["workers"]
    assert workers.verdict is Verdict.FAIL
    assert "syncline serve" in workers.advice
    async with works.runtime.database.system() as session:
        assert await works.runtime.queue.depth(session) == []


@pytest.mark.parametrize(
    ("age", "verdict"), [("1 second", Verdict.OK), ("5 minutes", Verdict.WARN), ("1 hour", Verdict.FAIL)]
)
async def test_events_that_nobody_delivers(works: Works, age: LiteralString, verdict: Verdict) -> None:
    by_operator(
        works,
        "INSERT INTO bus.outbox (id, name, occurred_at, data)"
        f" VALUES ('{new_id()}', 'commerce.PullFinished', now() - interval '{age}', '{{}}')",
    )
    events = (await found(works))["events"]
    assert (events.verdict, events.found.startswith("1 wait")) == (verdict, True)


async def test_dead_letters_are_a_warning(works: Works) -> None:
    by_operator(
        works,
        "INSERT INTO jobs.dead_letter (id, job_id, job, payload, priority, attempts, reason, first_at, last_at)"
        " VALUES (gen_random_uuid(), 1, 'commerce.pull_stream', '{}', 0, 3, 'it broke', now(), now())",
    )
    letters = (await found(works))["dead letters"]
    assert (letters.verdict, letters.advice.endswith("syncline dead-letters list")) == (Verdict.WARN, True)
    assert letters.found == "1 jobs, 0 events and 0 webhooks were given up"


async def test_a_table_whose_rows_anybody_may_read_is_found(works: Works) -> None:
    by_operator(works, "ALTER TABLE commerce.product NO FORCE ROW LEVEL SECURITY")
    guarded = await check_row_security(works.runtime)
    assert guarded.verdict is Verdict.FAIL
    assert "commerce.product" in guarded.found


async def test_a_migration_that_is_missing_is_found(works: Works) -> None:
    migrate.downgrade(works.runtime.database.operator_url, migration_sources(), "accounts@base")
    seen = (await found(works))["migrations"]
    assert (seen.verdict, seen.advice) == (Verdict.FAIL, "Run: syncline db upgrade")
