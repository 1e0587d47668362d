"""How well a process is, as machines ask it: degraded is an answer, down keeps traffic away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from syncline.runtime.http import health
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.health import Check, CheckResult
from syncline.runtime.jobs.testing import eventually

UP = CheckResult.up(version="18.6")
SLOW = CheckResult.degraded("took 2.5 s to answer", milliseconds=2500)
DOWN = CheckResult.down("cannot be reached")
OFF = CheckResult.off("not configured")


def saying(result: CheckResult) -> Callable[[], Awaitable[CheckResult]]:
    async def look() -> CheckResult:
        return result

    return look


@asynccontextmanager
async def service(*checks: Check, is_stopping: bool = False) -> AsyncIterator[httpx.AsyncClient]:
    app: FastAPI = create_app(None, (), checks=checks)
    app.state.is_stopping = is_stopping
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        yield client


async def test_a_degraded_part_is_told_and_the_answer_is_200() -> None:
    async with service(Check("database", saying(UP)), Check("memory", saying(SLOW))) as client:
        short, detail = await client.get("/health"), await client.get("/health?format=detail")
    assert (short.status_code, short.json()["status"]) == (200, "degraded")
    assert short.json()["checks"] == [{"database": "healthy"}, {"memory": "degraded"}]
    assert detail.json()["checks"]["memory"] == {
        "status": "DEGRADED",
        "milliseconds": 2500,
        "reason": "took 2.5 s to answer",
    }


async def test_the_worst_part_decides_and_503_says_when_to_come_back() -> None:
    checks = Check("memory", saying(SLOW)), Check("database", saying(DOWN)), Check("cpu", saying(UP))
    async with service(*checks) as client:
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
    assert int(answer.headers["retry-after"]) > 0


async def test_what_was_never_asked_for_is_off_and_neither_well_nor_ill() -> None:
    async with service(Check("database", saying(UP)), Check("redis", saying(OFF))) as client:
        short, detail = await client.get("/health"), await client.get("/health?format=detail")
    assert (short.json()["status"], short.json()["checks"]) == ("healthy", [{"database": "healthy"}])
    assert detail.json()["checks"]["redis"] == {"status": "OFF", "reason": "not configured"}


async def test_a_name_that_callers_rely_on_stands_in_the_detailed_form() -> None:
    check = Check("circuit_breaker", saying(CheckResult.up(state="closed", dlqSize=0)), shown_as="circuitBreaker")
    async with service(check) as client:
        short, detail = await client.get("/health"), await client.get("/health?format=detail")
    assert short.json()["checks"] == [{"circuit_breaker": "healthy"}]
    assert detail.json()["checks"]["circuitBreaker"] == {"status": "UP", "state": "closed", "dlqSize": 0}


async def test_ready_is_200_with_a_degraded_part_and_asks_only_what_gates_it() -> None:
    asked: list[str] = []

    async def expensive() -> CheckResult:
        asked.append("queue")
        return DOWN

    async with service(Check("database", saying(SLOW)), Check("queue", expensive, gates_ready=False)) as client:
        answer = await client.get("/ready")
    assert (answer.status_code, answer.json(), asked) == (200, {"status": "ready"}, [])


@pytest.mark.parametrize("path", ["/ready", "/health", "/api/health"])
async def test_a_process_that_stops_is_503_though_all_its_parts_are_well(path: str) -> None:
    async with service(Check("database", saying(UP)), is_stopping=True) as client:
        answer = await client.get(path)
        alive = await client.get("/live")
    assert (answer.status_code, alive.status_code) == (503, 200)
    assert "stopping" in answer.text
    assert answer.headers["retry-after"]


async def test_a_crowd_that_asks_looks_once() -> None:
    looks = 0
    looking, go_on = asyncio.Event(), asyncio.Event()

    async def look() -> CheckResult:
        nonlocal looks
        looks += 1
        looking.set()
        await go_on.wait()
        return UP

    async with service(Check("database", look)) as client:
        crowd = [asyncio.create_task(client.get(path)) for path in ("/health", "/ready", "/health") * 20]
        await looking.wait()
        go_on.set()
        answers = await asyncio.gather(*crowd)
    assert {answer.status_code for answer in answers} == {200}
    assert looks == 1


async def test_what_hangs_is_down_in_time_and_nobody_hangs_on_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even its end is waited for: a driver takes its time over that."""
    monkeypatch.setattr(health, "_TIMEOUT_SECONDS", 0.01)
    monkeypatch.setattr(health, "_KEPT_SECONDS", 0.0)
    looks = 0
    go_on = asyncio.Event()

    async def look() -> CheckResult:
        nonlocal looks
        looks += 1
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            await go_on.wait()
            raise
        return UP

    async with service(Check("database", look)) as client:
        first, second = [(await client.get("/ready")).json()["reasons"] for _ in range(2)]
        assert looks == 1
        go_on.set()

        async def is_ready() -> bool:
            return (await client.get("/ready")).status_code == 200

        await eventually(is_ready)
    assert (first, second) == ({"database": "did not answer within 0.01 s"}, {"database": "does not answer"})
    assert looks == 2


async def test_who_goes_away_while_it_looks_spoils_nothing_for_the_others() -> None:
    go_on = asyncio.Event()

    async def look() -> CheckResult:
        await go_on.wait()
        return UP

    async with service(Check("database", look)) as client:
        impatient, patient = (asyncio.create_task(client.get("/health")) for _ in range(2))
        await asyncio.sleep(0)
        impatient.cancel()
        go_on.set()
        assert (await patient).json()["checks"] == [{"database": "healthy"}]
