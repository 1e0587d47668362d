"""The application over HTTP, with a caller of any role and tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from syncline.apps.commerce.app import APP
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.http.factory import create_app

Call = Callable[..., Awaitable[httpx.Response]]
Problem = Callable[[httpx.Response, int, str], dict[str, Any]]


@pytest.fixture(scope="session")
def web() -> FastAPI:
    """Made once, for making it takes as long as ten requests; each test hands in its own runtime."""
    return create_app(None, [APP])


@pytest.fixture
async def call(web: FastAPI, runtime: Runtime, tenant_id: TenantId, other_tenant_id: TenantId) -> AsyncIterator[Call]:
    """`await call("POST", path, role="editor", tenant="other", json=...)`; role None is nobody."""
    tenants = {"mine": tenant_id, "other": other_tenant_id}

    async def authenticate(bearer: str) -> Actor | None:
        role, _, tenant = bearer.partition("@")
        return Actor(tenants[tenant], f"the {role}", role) if tenant in tenants else None

    web.state.runtime, web.state.authenticate = runtime, authenticate
    transport = httpx.ASGITransport(app=web, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test", verify=False) as client:

        async def send(
            method: str, path: str, *, role: str | None = "owner", tenant: str = "mine", **request: Any
        ) -> httpx.Response:
            headers = {"Authorization": f"Bearer {role}@{tenant}"} if role else {}
            headers |= request.pop("headers", {})
            return await client.request(method, path, headers=headers, **request)

        yield send


@pytest.fixture
def problem() -> Problem:
    def check(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
        """The body of an error, whose shape is the same everywhere."""
        body: dict[str, Any] = answer.json()
        assert (answer.status_code, body["code"], body["status"], body["success"]) == (status, code, status, False)
        assert answer.headers["content-type"] == "application/problem+json"
        assert body["error"]
        assert body["correlation_id"] == answer.headers["x-correlation-id"]
        return body

    return check
