"""A deadline is kept to by everything that is done on behalf of what has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from syncline.runtime.connect.breaker import BreakerSettings, BreakerState
from syncline.runtime.connect.client import Call, HttpClient
from syncline.runtime.connect.deadline import Deadline, within
from syncline.runtime.connect.errors import NotProcessed, VendorTrouble
from syncline.runtime.connect.registry import Registry
from syncline.runtime.connect.retry import RetryPolicy, retrying

SOON = timedelta(milliseconds=200)
CALL = Call("read", "https://vendor.test/slow", method="GET")


async def _hang(_: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


def client(registry: Registry, handler: object = _hang) -> HttpClient:
    transport = httpx.MockTransport(handler)  # type: ignore[arg-type]
    return HttpClient("vendor", breaker=registry.breaker("vendor"), transport=transport)


def test_the_earlier_of_two_holds_and_the_outer_one_comes_back() -> None:
    with within(Deadline.after(timedelta(hours=1))):
        outer = Deadline.after(None)
        with within(Deadline.after(SOON)):
            assert Deadline.after(None) == Deadline.after(timedelta(days=1))
        assert Deadline.after(timedelta(days=1)) == outer
    assert Deadline.after(None).at is None


async def test_a_task_that_is_started_inside_has_it_too() -> None:
    async def look() -> float | None:
        return Deadline.after(None).at

    with within(Deadline.after(SOON)):
        inside = asyncio.create_task(look())
    assert await inside is not None


async def test_a_call_ends_with_the_work_it_is_made_for_and_is_not_held_against_the_vendor() -> None:
    registry = Registry(settings=BreakerSettings(minimum_calls=1))
    async with client(registry) as http:
        with within(Deadline.after(SOON)), pytest.raises(VendorTrouble, match="in time"):
            await http.attempt(CALL, lambda response: response)
    assert registry.breaker("vendor").state is BreakerState.CLOSED
    assert registry.breaker("vendor").counts() == (0, 0)


async def test_a_vendor_that_takes_longer_than_the_breaker_allows_is_held_against_it() -> None:
    registry = Registry(settings=BreakerSettings(minimum_calls=1, timeout=SOON))
    async with client(registry) as http:
        with within(Deadline.after(timedelta(minutes=1))), pytest.raises(VendorTrouble):
            await http.attempt(CALL, lambda response: response)
    assert registry.breaker("vendor").state is BreakerState.OPEN


async def test_no_call_is_made_when_the_time_is_over() -> None:
    async with client(Registry(), lambda _: pytest.fail("was called")) as http:
        with within(Deadline(at=0.0)), pytest.raises(NotProcessed, match="time allowed"):
            await http.attempt(CALL, lambda response: response)


async def test_a_body_that_never_ends_ends_with_the_work() -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"one"
            await asyncio.Event().wait()

    async with client(Registry(), lambda _: httpx.Response(200, stream=Endless())) as http:
        with within(Deadline.after(SOON)), pytest.raises(VendorTrouble, match="in time"):
            await _read_whole(http)


async def _read_whole(http: HttpClient) -> bytes:
    async with http.stream(CALL) as response:
        return await response.aread()


async def test_nothing_is_tried_again_when_the_wait_would_outlast_the_work() -> None:
    tries: list[int] = []

    async def once(attempt: int) -> None:
        tries.append(attempt)
        raise VendorTrouble("The vendor failed.", wait=timedelta(seconds=30))

    with within(Deadline.after(SOON)), pytest.raises(VendorTrouble):
        await retrying(once, idempotent=True, policy=RetryPolicy(attempts=5))
    assert tries == [1]
