"""How long a request may take is handed on to all that is called for it; the caller may ask for less."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter

from syncline.runtime.connect.deadline import Deadline
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.protection import Protection

router = APIRouter(prefix="/slow", tags=["work"])


@router.get("/left")
async def left() -> float | None:
    return Deadline.after(None).remaining()


@router.get("/endless")
async def endless() -> None:
    await asyncio.Event().wait()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(None, (), routers=[router], protection=Protection(request_seconds=30))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as made:
        yield made


@pytest.mark.parametrize(("asked", "most"), [(None, 30), ("2.5", 2.5), ("1e1", 10), ("3600", 30), ("inf", 30)], ids=str)
async def test_what_is_left_is_the_less_of_ours_and_the_callers(
    client: httpx.AsyncClient, asked: str | None, most: float
) -> None:
    headers = {} if asked is None else {"X-Request-Timeout": asked}
    assert 0 < (await client.get("/slow/left", headers=headers)).json() <= most


async def test_a_request_that_takes_longer_than_its_caller_waits_is_ended(client: httpx.AsyncClient) -> None:
    answer = await client.get("/slow/endless", headers={"X-Request-Timeout": "0.02"})
    assert (answer.status_code, answer.json()["code"]) == (504, "REQ_504")


@pytest.mark.parametrize("asked", ["", "soon", "0", "-1", "nan", "1s"])
async def test_what_is_no_time_is_a_sentence_and_nothing_is_done(client: httpx.AsyncClient, asked: str) -> None:
    answer = await client.get("/slow/endless", headers={"X-Request-Timeout": asked})
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (400, "X-Request-Timeout")
    assert "like 2.5" in answer.json()["error"]


async def test_one_request_leaves_nothing_to_the_next(client: httpx.AsyncClient) -> None:
    await client.get("/slow/left", headers={"X-Request-Timeout": "1"})
    assert (await client.get("/slow/left")).json() > 1
    assert Deadline.after(None).at is None
