from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from syncline.main import parts
from syncline.main.parts import Part
from syncline.runtime.http.health import Standing


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_FIRST_WAIT", 0.01)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


async def test_a_part_runs_until_told_to_stop_and_finishes_its_work() -> None:
    finished = []

    async def run(stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(0.02)
        finished.append(True)

    part, stop = Part("worker", run), asyncio.Event()
    task = asyncio.create_task(part.keep_running(stop))
    await until(lambda: is_healthy(part))
    stop.set()
    await task
    assert finished == [True]
    assert not await is_healthy(part)


async def test_a_part_that_falls_is_unwell_and_started_again() -> None:
    starts = 0
    mended = asyncio.Event()

    async def run(stop: asyncio.Event) -> None:
        nonlocal starts
        starts += 1
        if not mended.is_set():
            raise OSError("the database is away")
        await stop.wait()

    part, stop = Part("worker", run), asyncio.Event()
    task = asyncio.create_task(part.keep_running(stop))
    await until(lambda: has_fallen(part, 3))
    result = await part.check().look()
    assert result.standing is Standing.DOWN
    assert "OSError" in result.reason
    mended.set()
    await until(lambda: is_healthy(part))
    stop.set()
    await task
    assert starts >= 4


async def test_a_part_that_ends_by_itself_is_started_again() -> None:
    starts = 0

    async def run(_stop: asyncio.Event) -> None:
        nonlocal starts
        starts += 1

    part, stop = Part("relay", run), asyncio.Event()
    task = asyncio.create_task(part.keep_running(stop))
    await until(lambda: has_fallen(part, 2))
    assert "ended by itself" in (await part.check().look()).reason
    stop.set()
    await task


async def is_healthy(part: Part) -> bool:
    return (await part.check().look()).standing is Standing.UP


async def has_fallen(part: Part, times: int) -> bool:
    result = await part.check().look()
    return result.standing is Standing.DOWN and int(result.facts["restarts"]) >= times
