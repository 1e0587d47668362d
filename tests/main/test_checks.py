"""What each part says of itself, well and ill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import psycopg
import pytest

from syncline.kernel.ids import new_id
from syncline.main import checks
from syncline.main.compose import compose
from syncline.main.schema import open_access
from syncline.main.settings import Settings
from syncline.runtime.app import Runtime
from syncline.runtime.connect.breaker import BreakerSettings
from syncline.runtime.connect.client import Call, HttpClient
from syncline.runtime.connect.errors import VendorTrouble
from syncline.runtime.connect.registry import Registry, shown_name
from syncline.runtime.db.access import Access
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.health import Check, CheckResult, Standing
from syncline.runtime.limits.counting import CountsLost
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.redis_counts import RedisCounts

PATIENCE = BreakerSettings(minimum_calls=2, window=timedelta(hours=1), cool_down=timedelta(hours=1))


def with_settings(**values: Any) -> Settings:
    return Settings(**values)


async def look(check: Check) -> CheckResult:
    return await check.look()


@pytest.fixture
async def runtime(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Runtime]:
    settings = Settings(
        data_dir=tmp_path,
        database_url=str(database_settings.url),
        database_admin_url=str(database_settings.admin_url),
    )
    async with open_access(settings) as access, compose(settings, access) as made:
        yield made


@pytest.fixture
def operator(database_settings: DatabaseSettings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(str(database_settings.admin_url), autocommit=True) as connection:
        yield connection


async def test_memory_goes_by_its_threshold() -> None:
    calm, strict = with_settings(health_memory_percent=100), with_settings(health_memory_percent=0.001)
    assert (await look(checks.memory_check(calm))).facts["rss"] == pytest.approx(
        psutil.Process().memory_info().rss, rel=0.2
    )
    found = await look(checks.memory_check(strict))
    assert found.standing is Standing.DEGRADED
    assert "% of" in found.reason


async def test_a_container_is_measured_against_what_it_may_have(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "memory.max").write_text(f"{2 * psutil.Process().memory_info().rss}\n")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    monkeypatch.setattr(checks, "_CGROUP", tmp_path)
    memory, cpu = await look(checks.memory_check(Settings())), await look(checks.cpu_check(Settings()))
    assert memory.facts["used_percent"] == pytest.approx(50, abs=10)
    assert cpu.facts["cores"] == 0.5


async def test_processor_time_is_that_of_the_last_minute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    monkeypatch.setattr(checks, "_CGROUP", tmp_path)
    times = iter([(0.0, 0.0), (60.0, 57.0), (120.0, 60.0), (180.0, 61.5)])
    check = checks.cpu_check(Settings(), lambda: next(times))
    busy, calmer, calm = [await look(check) for _ in range(3)]
    assert [one.facts["used_percent"] for one in (busy, calmer, calm)] == [95.0, 5.0, 2.5]
    assert [one.standing for one in (busy, calmer, calm)] == [Standing.DEGRADED, Standing.UP, Standing.UP]


@pytest.mark.parametrize(
    ("times_the_free", "standing"), [(0.5, Standing.UP), (2, Standing.DEGRADED), (20, Standing.DOWN)]
)
async def test_a_disk_that_fills_is_degraded_and_one_that_is_full_is_down(
    tmp_path: Path, times_the_free: float, standing: Standing
) -> None:
    least = round(psutil.disk_usage(str(tmp_path)).free * times_the_free)
    settings = Settings(data_dir=tmp_path / "not" / "made" / "yet", health_disk_free_bytes=least)
    assert (await look(checks.disk_check(settings))).standing is standing


async def test_redis_is_off_when_nobody_asked_for_it_and_degraded_when_it_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (await look(checks.redis_check(MemoryCounts()))).standing is Standing.OFF

    async def gone(_: RedisCounts) -> None:
        raise CountsLost("connection refused")

    monkeypatch.setattr(RedisCounts, "ping", gone)
    counts = RedisCounts("redis://127.0.0.1:1/0")
    away = await look(checks.redis_check(counts))
    await counts.close()
    assert away.standing is Standing.DEGRADED
    assert "by itself" in away.reason


async def test_the_server_of_somebody_else_is_not_ours_to_look_at(database_settings: DatabaseSettings) -> None:
    with Access(database_settings) as access:
        assert (await look(checks.server_check(access))).standing is Standing.OFF


async def test_a_database_that_is_slow_is_degraded_and_one_that_is_away_is_down(runtime: Runtime) -> None:
    assert (await look(checks.database_check(runtime, Settings()))).standing is Standing.UP
    slow = await look(checks.database_check(runtime, with_settings(health_database_seconds=1e-9)))
    assert slow.standing is Standing.DEGRADED
    assert slow.facts["connections"]["limit"] == 20


async def _fail(registry: Registry, upstream: str, times: int) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(500))

    def refuse(_: httpx.Response) -> None:
        raise VendorTrouble("It failed.")

    async with HttpClient(upstream, breaker=registry.breaker(upstream), transport=transport) as http:
        for _ in range(times):
            with pytest.raises(VendorTrouble):
                await http.attempt(Call("read", "https://vendor.test/"), refuse)


async def test_one_stores_broken_upstream_degrades_its_vendor_and_takes_nothing_down(runtime: Runtime) -> None:
    registry = Registry(settings=PATIENCE)
    registry.breaker("shopify:winter.example")
    await _fail(registry, "shopify:summer.example", 2)
    app = create_app(
        None,
        (),
        checks=[
            checks.upstream_check("shopify", registry),
            checks.upstream_check("lemlist", registry),
            checks.breaker_check(checks.LetterCount(runtime), registry),
        ],
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        health, detail, ready = [await client.get(path) for path in ("/health", "/health?format=detail", "/ready")]
    assert (health.status_code, health.json()["status"], ready.status_code) == (200, "degraded", 200)
    assert health.json()["checks"] == [
        {"shopify_api": "degraded"},
        {"lemlist_api": "healthy"},
        {"circuit_breaker": "degraded"},
    ]
    of_breakers = detail.json()["checks"]["circuitBreaker"]
    assert (of_breakers["status"], of_breakers["state"], of_breakers["dlqSize"]) == ("DEGRADED", "open", 0)
    assert of_breakers["breakers"][shown_name("shopify:summer.example")] == "open"
    assert detail.json()["checks"]["shopify_api"]["breakers"] == {"closed": 1, "open": 1}
    assert "summer" not in detail.text


def bury(operator: psycopg.Connection, *, tenant: UUID | None = None, days: int = 0) -> None:
    operator.execute(
        "INSERT INTO jobs.dead_letter (id, job_id, job, tenant, payload, priority, attempts, reason, first_at, last_at)"
        " VALUES (%s, 1, 'main.answer_probe', %s, '{}', 0, 8, 'No.', now(), now() - make_interval(days => %s))",
        (new_id(), tenant, days),
    )


async def test_dead_letters_that_pile_up_are_degraded_and_counted(
    runtime: Runtime, operator: psycopg.Connection
) -> None:
    settings = with_settings(health_dead_letters=2)
    bury(operator)
    count = checks.LetterCount(runtime)
    one = await look(checks.letters_check(count, settings))
    bury(operator)
    two = await look(checks.letters_check(count, settings))
    assert (one.standing, two.standing) == (Standing.UP, Standing.DEGRADED)
    assert (two.facts["size"], two.facts["job"], two.facts["event"]) == (2, 2, 0)
    assert (await look(checks.breaker_check(count, Registry()))).facts["dlqSize"] == 2


async def test_jobs_that_are_due_and_wait_are_degraded_and_those_of_tomorrow_are_not(
    runtime: Runtime, operator: psycopg.Connection
) -> None:
    async with runtime.database.system() as session:
        await runtime.queue.enqueue(session, "main.answer_probe", {})
    operator.execute(
        "UPDATE jobs.pgqueuer SET execute_after = now() + interval '1 day', created = now() - interval '1 day'"
    )
    assert (await look(checks.queue_check(runtime, Settings()))).standing is Standing.UP
    operator.execute("UPDATE jobs.pgqueuer SET execute_after = now() - interval '10 minutes'")
    late = await look(checks.queue_check(runtime, Settings()))
    assert late.standing is Standing.DEGRADED
    assert "worker running" in late.reason
    assert late.facts["waiting"] == 1
    assert late.facts["oldest_seconds"] == pytest.approx(600, abs=60)


async def test_webhooks_that_cannot_be_verified_are_told_for_an_hour(
    runtime: Runtime, operator: psycopg.Connection
) -> None:
    assert (await look(checks.webhooks_check(runtime))).standing is Standing.UP
    operator.execute(
        "INSERT INTO commerce.webhook_refusal VALUES"
        " ('a.myshopify.com', 'unverifiable', 'orders/create', 1, now(), now()),"
        " ('b.myshopify.com', 'signature', 'orders/create', 1, now(), now())"
    )
    found = await look(checks.webhooks_check(runtime))
    assert (found.standing, found.facts["unverifiable_shops"]) == (Standing.DEGRADED, 1)
    assert "webhooks check" in found.reason
    assert "a.myshopify.com" not in found.reason
    operator.execute("UPDATE commerce.webhook_refusal SET last_at = now() - interval '61 minutes'")
    assert (await look(checks.webhooks_check(runtime))).standing is Standing.UP


async def test_while_the_database_hangs_breakers_are_still_told(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(runtime.database, "_begin", hang)
    monkeypatch.setattr(checks, "_PATIENCE_SECONDS", 0.01)
    found = await look(checks.breaker_check(checks.LetterCount(runtime), Registry()))
    assert (found.standing, found.facts["dlqSize"]) == (Standing.UP, None)


async def test_every_check_answers_while_the_database_is_away(
    runtime: Runtime, database_settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None hangs and none raises: the database's own and what lies in it are down, the rest is as it is."""
    from syncline.runtime.db.errors import DatabaseUnavailable

    async def refuse(*_: object) -> None:
        raise DatabaseUnavailable("The connection was refused at 10.0.0.5.")

    monkeypatch.setattr(runtime.database, "_begin", refuse)
    with Access(database_settings) as access:
        app = create_app(None, (), checks=checks.make_checks(runtime, Settings(), access, MemoryCounts()))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            health, ready, live = [await client.get(path) for path in ("/health?format=detail", "/ready", "/live")]
    told = health.json()["checks"]
    assert (health.status_code, ready.status_code, live.status_code) == (503, 503, 200)
    assert {name for name, one in told.items() if one["status"] == "DOWN"} == {
        "database",
        "deadLetters",
        "queue",
        "webhooks",
    }
    assert told["circuitBreaker"]["dlqSize"] is None
    assert ready.json()["reasons"].keys() == {"database"}
    assert "10.0.0.5" not in health.text + ready.text
