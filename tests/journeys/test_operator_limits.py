"""How often what of the full sync's API may be asked: each limit told in headers, and refused with its code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from syncline.apps.accounts.contract import KeyRing
from syncline.main.targets import APPS
from syncline.main.testing.works import Works, open_works
from syncline.main.web import make_web
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import with_settings

Send = Callable[[str], Awaitable[httpx.Response]]

# Address -> how many at once, what is refused beyond, and at most how long one who is refused waits (seconds).
LIMITS = {
    "POST /api/full-sync/execute": (15, "SYNC_004", 120),
    "POST /api/event-keys/generate": (50, "LIMIT_001", 1),
    "POST /api/event-keys/generate-batch": (60, "LIMIT_001", 62),
    "POST /api/database/optimize": (2, "LIMIT_001", 720),
    "POST /api/migrations/run": (1, "LIMIT_001", 1_200),
    "POST /api/migrations/rollback": (1, "LIMIT_001", 1_200),
    "GET /api/full-sync/history": (20, "LIMIT_001", 1),
    "GET /api/event-keys/stats": (20, "LIMIT_001", 1),
    "GET /api/namespaces/north/stats": (20, "LIMIT_001", 1),
    "GET /api/jobs/status": (20, "LIMIT_001", 1),
    "GET /api/migrations/status": (20, "LIMIT_001", 1),
}


@pytest.fixture
async def works(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Works]:
    async with open_works(database_settings, tmp_path) as opened:
        yield opened


@pytest.fixture
async def send(works: Works) -> AsyncIterator[Send]:
    """Nothing that would be done: what is refused for its body is counted as well."""
    key = await works.runtime.contract(KeyRing).create_key(
        tenant_id=works.actor.tenant_id, name="scripts", role="owner", created_by="test"
    )
    limiter = Limiter(MemoryCounts(lambda: 1_000.0), with_settings({}))
    app = make_web(works.runtime, works.settings, APPS, limiter=limiter)
    headers = {"Authorization": f"Bearer {key.bearer}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://syncline.test") as client:

        async def one(address: str) -> httpx.Response:
            method, path = address.split(" ")
            return await client.request(method, path, headers=headers, content=b"{" if method == "POST" else None)

        yield one


@pytest.mark.parametrize("address", LIMITS)
async def test_each_has_its_own_limit_and_tells_it(send: Send, address: str) -> None:
    most, code, wait = LIMITS[address]
    answers = [await send(address) for _ in range(most + 1)]
    refused = answers.pop()
    assert {answer.status_code for answer in answers}.isdisjoint({401, 403, 429, 500})
    assert [answer.headers["X-RateLimit-Limit"] for answer in answers] == [str(most)] * most
    assert [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers] == list(range(most))[::-1]
    assert (refused.status_code, refused.json()["code"], refused.json()["success"]) == (429, code, False)
    assert 1 <= int(refused.headers["Retry-After"]) == refused.json()["retry_after"] <= wait
    assert int(refused.headers["X-RateLimit-Remaining"]) == 0
    assert int(refused.headers["X-RateLimit-Reset"]) > 0


async def test_what_is_known_by_its_id_is_limited_by_the_address_of_who_asks(works: Works, send: Send) -> None:
    path = "/api/full-sync/status/5f1c0d0a-4be3-4f5f-9d1c-6a2b7e8f9a0b"
    known = await send(f"GET {path}")
    app = make_web(works.runtime, works.settings, APPS, limiter=Limiter(MemoryCounts(), with_settings({})))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://syncline.test") as stranger:
        unknown = await stranger.get(path)
    assert (known.headers["X-RateLimit-Limit"], unknown.headers["X-RateLimit-Limit"]) == ("20", "300")
