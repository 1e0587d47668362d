"""One id, given by the caller, followed through everything that his request sets off: log, jobs, calls to the vendor,
events, audit trail."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from typing import Any, LiteralString

import httpx
import psycopg
import pytest
import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from syncline.main.testing.shop import Shop
from syncline.main.testing.web import bearing, open_web, register
from syncline.main.testing.works import Works, eventually
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.observe import logs

ASKED = "order-42"


class Recorder:
    """What the vendor sees of whom a request is for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seen: list[str | None] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(Headers(scope=scope).get("x-correlation-id"))
        await self.app(scope, receive, send)


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """The log as `serve` writes it."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = StringIO()
    logs.configure(level="DEBUG", pretty=False, stream=written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def client(works: Works) -> AsyncIterator[httpx.AsyncClient]:
    async with open_web(works) as opened:
        yield opened


async def test_an_id_is_followed_from_the_request_to_everything_it_sets_off(
    works: Works, client: httpx.AsyncClient, shop: Shop, database_settings: DatabaseSettings, lines: StringIO
) -> None:
    mine = dict(bearing(await register(client, "ada@alpine.example")))
    store = {"name": "alpine", "shop_domain": shop.domain, "token": shop.token, "base_url": shop.url}
    (await client.post("/api/shopify/stores", json=store, headers=mine)).raise_for_status()
    vendor = shop.tripwire.app = Recorder(shop.tripwire.app)

    answer = await client.post(
        "/api/enhanced-sync/shopify-down", json={"store": "alpine"}, headers={**mine, "X-Correlation-ID": ASKED}
    )
    assert (answer.status_code, answer.headers["x-correlation-id"]) == (202, ASKED)
    async with works.working():
        await eventually(lambda: _one(database_settings, _PULLS_LEFT), lambda left: left == 0)

    assert set(vendor.seen) == {ASKED}
    assert await _one(database_settings, _EVENT) == ASKED
    trail = (await client.get("/api/audit", params={"correlation_id": ASKED}, headers=mine)).json()["entries"]
    assert [entry["action"] for entry in trail] == ["POST /api/enhanced-sync/shopify-down"]
    mentioned = {line["event"] for line in _lines(lines) if line.get("correlation_id") == ASKED}
    assert mentioned >= {"request", "vendor call"}


_PULLS_LEFT = "SELECT count(*) FROM jobs.pgqueuer WHERE headers ->> 'job' LIKE 'commerce.%pull%'"
_EVENT = "SELECT correlation FROM bus.outbox WHERE name = 'commerce.pull_finished'"


def _lines(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def _one(settings: DatabaseSettings, query: LiteralString) -> Any:
    async with await psycopg.AsyncConnection.connect(str(settings.admin_url)) as connection:
        row = await (await connection.execute(query)).fetchone()
    return row[0] if row else None
