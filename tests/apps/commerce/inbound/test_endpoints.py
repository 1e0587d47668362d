from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from syncline.apps.commerce.app import APP
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.http.factory import create_app

Call = Callable[..., Awaitable[httpx.Response]]
REVIEW = "/api/shopify/stores/demo/review"


@pytest.fixture
async def call(runtime: Runtime, tenant_id: TenantId) -> AsyncIterator[Call]:
    async def authenticate(bearer: str) -> Actor | None:
        return Actor(tenant_id, f"the {bearer}", bearer)

    web = create_app(None, [APP])
    web.state.runtime, web.state.authenticate = runtime, authenticate
    transport = httpx.ASGITransport(app=web, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test", verify=False) as client:

        async def send(path: str, body: Any, *, role: str | None = "owner") -> httpx.Response:
            headers = {"Authorization": f"Bearer {role}"} if role else {}
            return await client.put(path, headers=headers, json=body)

        yield send


async def test_who_manages_stores_turns_it_on_and_off(call: Call, pulled: Any) -> None:
    body = {"review": "inbound"}
    assert (await call(REVIEW, body, role=None)).json()["code"] == "API_001"
    answers = {role: await call(REVIEW, body, role=role) for role in PERMISSIONS}
    refused = {role for role, answer in answers.items() if answer.status_code == 403}
    assert refused == {role for role in PERMISSIONS if not Actor(TenantId(new_id()), "", role).may("stores:manage")}
    assert answers["owner"].json()["review"] == "inbound"
    assert (await call(REVIEW, {"review": "none"})).json()["review"] == "none"


async def test_every_error_over_http(call: Call, pulled: Any) -> None:
    assert (await call("/api/shopify/stores/nope/review", {"review": "none"})).json()["code"] == "STORE_001"
    for body in ({}, {"review": "outbound"}, {"review": "none", "more": 1}):
        assert (await call(REVIEW, body)).json()["code"] == "REQ_001"
