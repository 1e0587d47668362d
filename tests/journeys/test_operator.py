"""What an operator's scripts do with a running installation: call it without a Content-Type, dump it, empty
`event_source`, put the dump back, look at figures and limits."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from syncline.apps.accounts.contract import KeyRing
from syncline.kernel import clock
from syncline.main.targets import APPS, migration_sources
from syncline.main.testing.town import open_town
from syncline.main.testing.works import Works, open_works
from syncline.main.testing.works import eventually as until
from syncline.main.web import make_web
from syncline.runtime.db.migrate import upgrade
from syncline.runtime.db.server import ServerHandle
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs import Job, JobContext
from syncline.runtime.jobs.testing import Fleet, eventually
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import with_settings

Generate = Callable[..., Awaitable[httpx.Response]]
MEGABYTE = 1024 * 1024


@pytest.fixture
async def works(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Works]:
    # Where unqualified names lead is set for a database by its upgrade, and does not come along with a template.
    upgrade(str(database_settings.admin_url), migration_sources())
    async with open_works(database_settings, tmp_path) as opened:
        yield opened


@pytest.fixture
def raised() -> dict[str, str]:
    """Limits that are not the default."""
    return {}


@pytest.fixture
def seconds() -> Callable[[], float]:
    """What the limits take for the time."""
    return time.monotonic


@pytest.fixture
async def client(
    works: Works, raised: dict[str, str], seconds: Callable[[], float]
) -> AsyncIterator[httpx.AsyncClient]:
    """As `serve` makes it, with its limits."""
    limiter = Limiter(MemoryCounts(seconds), with_settings(raised))
    app = make_web(works.runtime, works.settings, APPS, limiter=limiter)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://syncline.test") as opened:
        yield opened


@pytest.fixture
async def key(works: Works) -> str:
    made = await works.runtime.contract(KeyRing).create_key(
        tenant_id=works.actor.tenant_id, name="scripts", role="service", created_by="test"
    )
    return made.bearer


@pytest.fixture
async def generate(client: httpx.AsyncClient, key: str) -> Generate:
    """As `curl -d` sends it: a form, by its Content-Type."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-www-form-urlencoded"}

    async def send(campaign: str, email: str = "test@example.com") -> httpx.Response:
        body = {"platform": "lemlist", "campaignId": campaign, "eventType": "test", "email": email}
        return await client.post("/api/event-keys/generate", content=json.dumps(body), headers=headers)

    return send


def run(server: ServerHandle, database: DatabaseSettings, program: str, *arguments: str, told: str = "") -> str:
    """A client program on the operator's address."""
    command = [str(server.bin_dir / program), str(database.admin_url), *arguments]
    environment = {**os.environ, "PGOPTIONS": ""}
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=True, env=environment)
    return done.stdout


async def test_who_has_no_key_or_a_wrong_one_is_401(client: httpx.AsyncClient) -> None:
    wrong = {"Authorization": "Bearer invalid_key"}
    for address in ("/api/full-sync/execute", "/api/event-keys/generate", "/api/namespaces"):
        assert (await client.get(address)).status_code == 401
        assert (await client.get(address, headers=wrong)).status_code == 401


async def test_event_source_is_dumped_emptied_and_put_back(
    generate: Generate, server: ServerHandle, database_settings: DatabaseSettings
) -> None:
    made = (await generate("recovery_test", "recovery@example.com")).json()
    assert made["event_key"].startswith("lemlist_recoverytest")
    dumped = run(server, database_settings, "pg_dump")
    run(server, database_settings, "psql", "-c", "TRUNCATE event_source")
    count = ("-t", "-c", "SELECT count(*) FROM event_source WHERE event_key LIKE 'lemlist_recoverytest%'")
    assert run(server, database_settings, "psql", *count).strip() == "0"
    run(server, database_settings, "psql", "--quiet", told=dumped)
    assert run(server, database_settings, "psql", *count).strip() == "1"
    again = (await generate("recovery_test", "recovery@example.com")).json()
    assert (again["event_key"], again["generation_stats"]["new"]) == (made["event_key"], 0)


def sizes(database: DatabaseSettings) -> dict[str, int]:
    """Table -> its rows, of all tables there are."""
    listed = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname !~ '^(pg_|information_)'"
    found: dict[str, int] = {}
    with psycopg.connect(str(database.admin_url)) as operator:
        for (name,) in operator.execute(listed).fetchall():
            row = operator.execute(f"SELECT count(*) FROM {name}".encode()).fetchone()
            assert row is not None
            found[name] = row[0]
    return found


async def test_putting_a_dump_back_doubles_no_row_of_any_table(
    generate: Generate, server: ServerHandle, database_settings: DatabaseSettings
) -> None:
    """What was not emptied first meets its own keys."""
    await generate("recovery_test")
    before = sizes(database_settings)
    run(server, database_settings, "psql", "--quiet", told=run(server, database_settings, "pg_dump"))
    assert sizes(database_settings) == before
    assert before["outreach.event_source"] == 1


# Nobody writes to the first two: our own schedules and figures lie elsewhere. Workers bring the third ahead again.
NUMBERED_AGAIN = {"jobs.pgqueuer_schedules.id", "jobs.pgqueuer_statistics.id", "jobs.pgqueuer.id"}
NUMBERED_BY_A_SEQUENCE_ALONE = """
    SELECT DISTINCT a.attrelid::regclass || '.' || a.attname FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE i.indisunique AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) ~ '^nextval')
    AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = i.indrelid AND t.tgname = 'number_by_moment')
"""


def test_no_other_key_is_a_number_that_a_dump_put_back_sets_back(database_settings: DatabaseSettings) -> None:
    with psycopg.connect(str(database_settings.admin_url)) as operator:
        operator.execute("SET search_path TO ''")
        found = {name for (name,) in operator.execute(NUMBERED_BY_A_SEQUENCE_ALONE).fetchall()}
    assert found == NUMBERED_AGAIN


async def test_work_goes_on_where_a_dump_was_put_back_over_it(
    works: Works, server: ServerHandle, database_settings: DatabaseSettings
) -> None:
    """The dump sets every sequence back to where it stood when it was made; what was numbered since is still there."""
    done: list[int] = []

    async def note(ctx: JobContext, payload: dict[str, Any]) -> None:
        del ctx
        done.append(payload["n"])

    job = Job("trial.note", note)
    fleet = Fleet(works.runtime.database, works.actor.tenant_id)
    counted = "INSERT INTO commerce.change_tally VALUES (DEFAULT, %(t)s, %(t)s, 'product', '', 'pending', 1)"

    async def work(count: int) -> None:
        before = len(done)
        await fleet.enqueue(job, *[{"n": n} for n in range(before, before + count)])
        await eventually(lambda: len(done) == before + count)
        with psycopg.connect(str(database_settings.admin_url)) as operator:
            operator.cursor().executemany(counted, [{"t": works.actor.tenant_id}] * count)

    async def is_ahead() -> bool:
        ahead = "SELECT (SELECT max(id) FROM jobs.pgqueuer) <= (SELECT last_value FROM jobs.pgqueuer_id_seq)"
        return bool(await fleet.scalar(ahead))

    fleet.start([job])
    await work(1)
    dumped = run(server, database_settings, "pg_dump")
    await work(20)
    waiting = await fleet.enqueue(job, *[{"n": -1}] * 20, run_at=clock.now() + timedelta(hours=1))
    run(server, database_settings, "psql", "--quiet", told=dumped)
    await eventually(is_ahead)
    await work(20)
    await fleet.stop()
    assert sorted(done) == list(range(41))
    assert await fleet.scalar("SELECT count(*) FROM jobs.pgqueuer WHERE id = ANY (%s)", waiting) == 20


@pytest.mark.parametrize("seconds", [lambda: 0.0])  # a burst is one however long this machine takes over it
async def test_a_burst_meets_its_limit_and_is_told_when_to_come_back(generate: Generate) -> None:
    answers = [await generate("rate_test") for _ in range(150)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers[:50]} == {200}
    assert refused
    assert refused[0].json()["code"] == "LIMIT_001"
    assert int(refused[0].headers["Retry-After"]) >= 1


async def test_ten_namespaces_at_once_all_come_to_their_end_and_a_second_run_of_one_is_refused(
    works: Works, client: httpx.AsyncClient, key: str
) -> None:
    async def execute(name: str, day: str) -> httpx.Response:
        body = {"platforms": "lemlist", "syncMode": "date_range", "startDate": day, "endDate": day, "namespaces": name}
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-www-form-urlencoded"}
        return await client.post("/api/full-sync/execute", content=json.dumps(body), headers=headers)

    async def look(job: str) -> dict[str, Any]:
        told: dict[str, Any] = (await client.get(f"/api/full-sync/status/{job}")).json()
        return told

    async def end_of(job: str) -> dict[str, Any]:
        return await until(lambda: look(job), lambda told: told["status"] in {"completed", "failed", "cancelled"})

    async with open_town(works, events=400, campaigns=4):
        begun = await asyncio.gather(*(execute(f"load_test_{n}", f"2024-01-0{n % 9 + 1}") for n in range(1, 11)))
        jobs = [answer.json()["jobId"] for answer in begun]
        assert all(answer.text.startswith('{"success":true,"jobId":"') for answer in begun)
        again = await execute("load_test_3", "2024-01-04")
        assert (again.status_code, again.json()["code"], again.json()["jobId"]) == (409, "SYNC_003", jobs[2])
        async with works.working():
            ended = await asyncio.gather(*map(end_of, jobs))
        assert {told["status"] for told in ended} == {"completed"}
        assert {told["progress"]["percentage"] for told in ended} == {100.0}
        assert (await execute("load_test_3", "2024-01-04")).status_code == 200


async def test_figures_of_the_database_are_open_and_small(client: httpx.AsyncClient, generate: Generate) -> None:
    await generate("perf_test")
    found: dict[str, Any] = (await client.get("/api/database/performance")).json()["performance"]
    assert 0 <= found["connection_pool"]["active"] <= 18
    assert 0 < float(found["query_performance"]["avg_select_time"].removesuffix("ms")) < 1_000


@pytest.mark.parametrize("raised", [{"event-keys:generate": "off"}])
async def test_a_thousand_keys_leave_less_than_a_hundred_megabytes(
    client: httpx.AsyncClient, generate: Generate, raised: dict[str, str]
) -> None:
    before = (await client.get("/api/metrics")).json()["memory"]["heapUsed"]
    answers = {(await generate(f"leak_test_{number}")).status_code for number in range(1_000)}
    after = (await client.get("/api/metrics")).json()["memory"]["heapUsed"]
    assert answers == {200}
    assert after - before < 100 * MEGABYTE
