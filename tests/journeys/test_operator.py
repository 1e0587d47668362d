"""What an operator's scripts do with a running installation: call it without a Content-Type, dump it, empty
`event_source`, put the dump back, look at figures and limits."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from syncline.apps.accounts.contract import KeyRing
from syncline.main.targets import APPS, migration_sources
from syncline.main.testing.works import Works, open_works
from syncline.main.web import make_web
from syncline.runtime.db.migrate import upgrade
from syncline.runtime.db.server import ServerHandle
from syncline.runtime.db.settings import DatabaseSettings
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
async def client(works: Works, raised: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """As `serve` makes it, with its limits."""
    app = make_web(works.runtime, works.settings, APPS, limiter=Limiter(MemoryCounts(), with_settings(raised)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://syncline.test") as opened:
        yield opened


@pytest.fixture
async def generate(works: Works, client: httpx.AsyncClient) -> Generate:
    """As `curl -d` sends it: a form, by its Content-Type."""
    key = await works.runtime.contract(KeyRing).create_key(
        tenant_id=works.actor.tenant_id, name="scripts", role="service", created_by="test"
    )
    headers = {"Authorization": f"Bearer {key.bearer}", "Content-Type": "application/x-www-form-urlencoded"}

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


async def test_a_burst_meets_its_limit_and_is_told_when_to_come_back(generate: Generate) -> None:
    answers = [await generate("rate_test") for _ in range(150)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers[:50]} == {200}
    assert refused
    assert refused[0].json()["code"] == "LIMIT_001"
    assert int(refused[0].headers["Retry-After"]) >= 1


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
