from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends

from syncline.kernel.errors import Unavailable
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.http.auth import require
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.rate_limit import limited
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import ANONYMOUS, SIGNED_IN, Counts, Policy, Rate, WhenLost
from syncline.runtime.limits.redis_counts import RedisCounts

MINUTE = timedelta(minutes=1)
ONE, TWO = TenantId(UUID(int=1)), TenantId(UUID(int=2))
KEYS = {
    "a": Actor(ONE, "a", "owner"),
    "b": Actor(ONE, "b", "owner"),
    "namesake": Actor(ONE, "same name", "owner", key_id=UUID(int=7)),
    "other namesake": Actor(ONE, "same name", "owner", key_id=UUID(int=8)),
    "renamed": Actor(ONE, "another name", "owner", key_id=UUID(int=7)),
    "person": Actor(ONE, "same name", "owner", user_id=UUID(int=7), method="session"),
    "elsewhere": Actor(TWO, "a", "owner"),
}
POLICIES = {
    policy.name: policy
    for policy in (
        Policy(ANONYMOUS, Rate(2, MINUTE), Counts.ADDRESS),
        Policy(SIGNED_IN, Rate(3, MINUTE)),
        Policy("keys:make", Rate(1, MINUTE, 1)),
        Policy("tenant:heavy", Rate(1, MINUTE), Counts.TENANT),
        Policy("sign-in", Rate(1, MINUTE), Counts.ADDRESS, WhenLost.CLOSED),
    )
}

router = APIRouter(prefix="/limits", tags=["limits"])
_Anyone = Annotated[Actor, Depends(require("catalog:read"))]


@router.get("/open")
async def open_to_all() -> str:
    return "open"


@router.post("/named")
@limited("keys:make")
async def named(_actor: _Anyone) -> str:
    return "named"


@router.post("/heavy")
@limited("tenant:heavy")
async def heavy(_actor: _Anyone) -> str:
    return "heavy"


@router.post("/sign-in")
@limited("sign-in")
async def sign_in() -> str:
    return "in"


async def authenticate(key: str) -> Actor | None:
    if key == "database away":
        raise Unavailable("away")
    return KEYS.get(key)


def client_of(limiter: Limiter, address: str = "203.0.113.1") -> httpx.AsyncClient:
    app = create_app(None, (), authenticate=authenticate, routers=[router], limiter=limiter)
    transport = httpx.ASGITransport(app=app, client=(address, 1234), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://syncline.test")


@pytest.fixture
def limiter() -> Limiter:
    return Limiter(MemoryCounts(), POLICIES)


@pytest.fixture
async def client(limiter: Limiter) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(limiter) as made:
        yield made


def key(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def statuses(client: httpx.AsyncClient, method: str, path: str, times: int, name: str | None = None) -> list[int]:
    headers = {} if name is None else key(name)
    return [(await client.request(method, path, headers=headers)).status_code for _ in range(times)]


async def test_a_stranger_is_refused_in_the_one_error_shape(client: httpx.AsyncClient) -> None:
    await statuses(client, "GET", "/limits/open", 2)
    refused = await client.get("/limits/open")
    body = refused.json()
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert (body["success"], body["code"], body["status"]) == (False, "LIMIT_001", 429)
    assert re.fullmatch(r"Too many requests\. Try again in 6[0-2] seconds\.", body["error"])
    assert body["correlation_id"] == refused.headers["x-correlation-id"]
    assert 60 <= int(refused.headers["retry-after"]) <= 62


async def test_every_answer_says_where_the_caller_stands(client: httpx.AsyncClient) -> None:
    answers = [await client.get("/limits/open") for _ in range(3)]
    assert [one.headers["x-ratelimit-limit"] for one in answers] == ["2", "2", "2"]
    assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["1", "0", "0"]
    assert int(answers[0].headers["x-ratelimit-reset"]) > 1_700_000_000


async def test_unknown_addresses_are_counted_too(client: httpx.AsyncClient) -> None:
    assert await statuses(client, "GET", "/nothing-here", 3) == [404, 404, 429]


async def test_wrong_keys_count_for_the_address(client: httpx.AsyncClient) -> None:
    assert await statuses(client, "POST", "/limits/named", 3, "guessed") == [401, 401, 429]


async def test_a_valid_key_has_a_limit_of_its_own(client: httpx.AsyncClient) -> None:
    await statuses(client, "GET", "/limits/open", 3)
    assert await statuses(client, "GET", "/limits/open", 4, "a") == [200, 200, 200, 429]
    assert await statuses(client, "GET", "/limits/open", 1, "b") == [200]
    assert await statuses(client, "GET", "/limits/open", 1, "elsewhere") == [200]


async def test_a_named_limit_replaces_the_general_one(client: httpx.AsyncClient) -> None:
    assert await statuses(client, "POST", "/limits/named", 2, "a") == [200, 429]
    assert await statuses(client, "GET", "/limits/open", 3, "a") == [200, 200, 200]


async def test_a_tenants_limit_is_shared_by_its_keys_and_nobody_else(client: httpx.AsyncClient) -> None:
    assert await statuses(client, "POST", "/limits/heavy", 1, "a") == [200]
    assert await statuses(client, "POST", "/limits/heavy", 1, "b") == [429]
    assert await statuses(client, "POST", "/limits/heavy", 1, "elsewhere") == [200]


async def test_a_limit_by_address_holds_whoever_one_claims_to_be(client: httpx.AsyncClient) -> None:
    assert await statuses(client, "POST", "/limits/sign-in", 1) == [200]
    assert await statuses(client, "POST", "/limits/sign-in", 1, "a") == [429]


async def test_another_address_has_counts_of_its_own(limiter: Limiter) -> None:
    async with client_of(limiter) as here, client_of(limiter, "203.0.113.2") as there:
        await statuses(here, "GET", "/limits/open", 3)
        assert await statuses(there, "GET", "/limits/open", 1) == [200]


async def test_health_is_never_refused(client: httpx.AsyncClient) -> None:
    assert await statuses(client, "GET", "/live", 5) == [200] * 5
    assert await statuses(client, "GET", "/health", 5) == [200] * 5


async def test_while_keys_cannot_be_looked_up_the_reason_is_answered(client: httpx.AsyncClient) -> None:
    assert await statuses(client, "POST", "/limits/named", 1, "database away") == [503]


async def test_without_redis_signing_in_is_closed_and_the_rest_open() -> None:
    async with client_of(Limiter(RedisCounts("redis://127.0.0.1:9"), POLICIES)) as client:
        closed = await client.post("/limits/sign-in")
        assert (closed.status_code, closed.json()["code"]) == (503, "LIMIT_002")
        assert closed.headers["retry-after"] == "5"
        assert await statuses(client, "GET", "/limits/open", 3) == [200, 200, 429]


async def test_without_a_limiter_nobody_is_counted() -> None:
    app = create_app(None, (), routers=[router])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://syncline.test") as client:
        answer = await client.get("/limits/open")
    assert "x-ratelimit-limit" not in answer.headers


async def test_keys_of_the_same_name_are_counted_apart_and_a_renamed_one_as_before(client: httpx.AsyncClient) -> None:
    assert await statuses(client, "GET", "/limits/open", 4, "namesake") == [200, 200, 200, 429]
    assert await statuses(client, "GET", "/limits/open", 1, "other namesake") == [200]
    assert await statuses(client, "GET", "/limits/open", 1, "person") == [200]
    assert await statuses(client, "GET", "/limits/open", 1, "renamed") == [429]
