"""Every endpoint of `/api/sync`: who may call it, what it answers, every error it declares."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from syncline.apps.commerce.app import APP
from syncline.apps.commerce.push.endpoints import ROUTERS
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.http.factory import create_app

PAGE = PageRequest()
NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"
BASE = "/api/sync"
ENDPOINTS: dict[str, tuple[Any, str]] = {
    f"GET {BASE}/staged": (None, "changes:read"),
    f"POST {BASE}/staged": ({"store": "nope", "edits": ["price=1"]}, "changes:stage"),
    f"GET {BASE}/status": (None, "changes:read"),
    f"POST {BASE}/plan": ({"store": "nope"}, "changes:read"),
    f"POST {BASE}/start": ({"store": "nope"}, "changes:push"),
    f"POST {BASE}/stop": ({"store": "nope"}, "changes:push"),
    f"POST {BASE}/pause": ({"store": "nope"}, "changes:push"),
    f"POST {BASE}/resume": ({"store": "nope"}, "changes:push"),
}
WISHES = ["stop", "pause", "resume"]
Call = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
def web() -> FastAPI:
    return create_app(None, [APP])


@pytest.fixture
async def call(web: FastAPI, runtime: Runtime, tenant_id: TenantId, other_tenant_id: TenantId) -> AsyncIterator[Call]:
    """`await call("POST", path, role="editor", tenant="other", json=...)`; role None is nobody."""
    tenants = {"mine": tenant_id, "other": other_tenant_id}

    async def authenticate(bearer: str) -> Actor | None:
        role, _, tenant = bearer.partition("@")
        return Actor(tenants[tenant], f"the {role}", role)

    web.state.runtime, web.state.authenticate = runtime, authenticate
    transport = httpx.ASGITransport(app=web, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test", verify=False) as client:

        async def send(
            method: str, path: str, *, role: str | None = "owner", tenant: str = "mine", **request: Any
        ) -> httpx.Response:
            headers = {"Authorization": f"Bearer {role}@{tenant}"} if role else {}
            return await client.request(method, f"{BASE}{path.removeprefix(BASE)}", headers=headers, **request)

        yield send


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_nobody_is_401(call: Call, address: str) -> None:
    answer = await call(*address.split(" "), role=None)
    assert (answer.status_code, answer.json()["code"]) == (401, "API_001")


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_each_role_may_what_it_holds_and_nothing_else(call: Call, address: str) -> None:
    body, permission = ENDPOINTS[address]
    answers = {role: await call(*address.split(" "), role=role, json=body) for role in PERMISSIONS}
    refused = {role for role, answer in answers.items() if answer.status_code == 403}
    assert refused == {role for role in PERMISSIONS if not Actor(TenantId(new_id()), "", role).may(permission)}


@pytest.mark.parametrize("address", [address for address, (body, _) in ENDPOINTS.items() if body is not None])
async def test_a_store_nobody_knows_is_404(call: Call, address: str) -> None:
    answer = await call(*address.split(" "), json=ENDPOINTS[address][0])
    assert (answer.status_code, answer.json()["code"]) == (404, "STORE_001")


async def test_staged_planned_started_watched_paused_resumed_and_stopped(call: Call, desk: Any) -> None:
    staged = await call("POST", "/staged", json={"store": "demo", "where": "vendor:Acme", "edits": ["price=25"]})
    assert (staged.status_code, staged.json()["counts"]) == (201, {"pending": 2})
    listed = (await call("GET", "/staged", params={"status": "pending"})).json()
    assert listed["pagination"]["totalItems"] == 2
    await desk.approve(*(await desk.commerce.list_batches(actor=desk.pulled.actor, store="demo", page=PAGE)).items)

    config = {"minWorkers": 1, "maxWorkers": 2, "batchSize": 5, "priority": "high", "strategy": "speed"}
    plan = await call("POST", "/plan", json={"config": config})
    assert (plan.status_code, plan.json()["changes"], plan.json()["products"]) == (200, 2, 1)
    assert plan.json()["is_blocked"] is False
    begun = await call("POST", "/start", json={"config": config})
    assert begun.status_code == 202
    assert begun.json()["engine"]["config"] == {
        "min_workers": 1,
        "max_workers": 2,
        "batch_size": 5,
        "priority": "high",
        "strategy": "speed",
    }
    again = await call("POST", "/start", json={})
    assert (again.status_code, again.json()["code"]) == (409, "PUSH_003")

    wanted = [(await call("POST", f"/{wish}", json={})).json()["engine"]["wanted"] for wish in ("pause", "resume")]
    assert wanted == ["pause", "run"]
    stopped = await call("POST", "/stop", json={"runId": begun.json()["id"]})
    assert stopped.json()["engine"]["wanted"] == "stop"
    await desk.pulled.work()
    (shown,) = (await call("GET", "/status", params={"store": "demo"})).json()["pushes"]
    assert shown["engine"]["cost"]["points_saved"] == 0.0
    assert (shown["id"], shown["status"], shown["counts"]) == (begun.json()["id"], "cancelled", {"approved": 2})
    assert (await call("GET", "/status", tenant="other")).json() == {"pushes": []}


@pytest.mark.parametrize("wish", WISHES)
async def test_wish_for_a_push_that_is_not_there_is_404(call: Call, desk: Any, wish: str) -> None:
    for body in ({}, {"run_id": NOWHERE}):
        answer = await call("POST", f"/{wish}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "PULL_002")


@pytest.mark.parametrize("wish", WISHES)
async def test_wish_for_a_push_that_is_over_is_409(call: Call, desk: Any, wish: str) -> None:
    await desk.staged("vendor:Acme", "price=25")
    run = await desk.push()
    answer = await call("POST", f"/{wish}", json={"runId": str(run.id)})
    assert (answer.status_code, answer.json()["code"]) == (409, "PUSH_004")


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"maxWorkers": 0}, "maxWorkers"),
        ({"minWorkers": 9}, "minWorkers"),
        ({"batchSize": 251}, "batchSize"),
        ({"strategy": "cheap"}, "config.strategy"),
        ({"workers": 3}, "config.workers"),
    ],
)
async def test_settings_that_are_not_understood_are_400_and_named(
    call: Call, desk: Any, config: dict[str, Any], field: str
) -> None:
    await desk.staged("vendor:Acme", "price=25")
    answer = await call("POST", "/start", json={"store": "demo", "config": config})
    assert answer.status_code == 400
    assert field in str(answer.json()["fields"])


async def test_nothing_approved_is_409(call: Call, desk: Any) -> None:
    answer = await call("POST", "/start", json={"store": "demo"})
    assert (answer.status_code, answer.json()["code"]) == (409, "CHANGE_004")


async def test_without_a_store_somebody_must_say_which(call: Call) -> None:
    answer = await call("POST", "/start", json={})
    assert answer.status_code == 400
    assert "Say which store" in answer.json()["error"]
