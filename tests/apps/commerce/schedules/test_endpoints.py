"""Every endpoint of schedules: who may call it, what it answers, every error it declares."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from syncline.apps.commerce.schedules.endpoints import ROUTERS
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId

NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"
BASE = "/api/shopify/stores/{name}/schedules"
ENDPOINTS: dict[str, tuple[Any, str]] = {
    f"GET {BASE}": (None, "stores:read"),
    f"POST {BASE}": ({"timing": "every 1h"}, "catalog:pull"),
    f"POST {BASE}/align": ({"timing": "every 1h", "source": "demo", "fields": ["price"]}, "changes:stage"),
    f"PATCH {BASE}/{{schedule_id}}": ({"is_enabled": False}, "catalog:pull"),
    f"DELETE {BASE}/{{schedule_id}}": (None, "catalog:pull"),
    f"POST {BASE}/{{schedule_id}}/run": (None, "catalog:pull"),
}
DEMO = "/api/shopify/stores/demo/schedules"
Call = Callable[..., Awaitable[httpx.Response]]


def filled(address: str) -> tuple[str, str]:
    method, path = address.replace("{schedule_id}", NOWHERE).replace("{name}", "nope").split(" ")
    return method, path


@pytest.fixture
async def schedule(call: Call, ticking: Any) -> dict[str, Any]:
    answer = await call("POST", DEMO, json={"timing": "0 3 * * 0", "action": "pull_full", "zone": "Europe/Berlin"})
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_nobody_is_401(call: Call, address: str) -> None:
    method, path = filled(address)
    answer = await call(method, path, role=None)
    assert (answer.status_code, answer.json()["code"]) == (401, "API_001")


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_each_role_may_what_it_holds_and_nothing_else(call: Call, address: str) -> None:
    body, permission = ENDPOINTS[address]
    method, path = filled(address)
    answers = {role: await call(method, path, role=role, json=body) for role in PERMISSIONS}
    refused = {role for role, answer in answers.items() if answer.status_code == 403}
    assert refused == {role for role in PERMISSIONS if not Actor(TenantId(new_id()), "", role).may(permission)}
    assert refused


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_a_store_nobody_knows_is_404(call: Call, address: str) -> None:
    body, _ = ENDPOINTS[address]
    answer = await call(*filled(address), json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "STORE_001")


async def test_made_listed_changed_and_removed(call: Call, schedule: dict[str, Any]) -> None:
    assert schedule["next_run_at"] == "2026-11-29T02:00:00Z"
    listed = (await call("GET", DEMO, role="viewer")).json()["schedules"]
    assert listed == [schedule]
    one = f"{DEMO}/{schedule['id']}"
    paused = (await call("PATCH", one, json={"is_enabled": False})).json()
    assert (paused["is_enabled"], paused["next_run_at"], paused["timing"]) == (False, None, "0 3 * * 0")
    changed = (await call("PATCH", one, json={"timing": "every 1h", "is_enabled": True})).json()
    assert changed["next_run_at"] == "2026-11-22T13:00:00Z"
    removed = await call("DELETE", one)
    assert (removed.status_code, removed.content) == (204, b"")
    assert (await call("GET", DEMO)).json() == {"schedules": []}


async def test_run_now_is_202_and_a_second_one_409(call: Call, schedule: dict[str, Any]) -> None:
    begun = await call("POST", f"{DEMO}/{schedule['id']}/run")
    assert (begun.status_code, begun.json()["last_run"]["status"]) == (202, "running")
    again = await call("POST", f"{DEMO}/{schedule['id']}/run")
    assert (again.status_code, again.json()["code"]) == (409, "PULL_003")
    assert again.json()["run_id"] == begun.json()["last_run"]["run_id"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "POST"])
async def test_a_schedule_nobody_knows_is_404(call: Call, ticking: Any, method: str) -> None:
    path = f"{DEMO}/{NOWHERE}" + {"POST": "/run"}.get(method, "")
    answer = await call(method, path, json={"is_enabled": False})
    assert (answer.status_code, answer.json()["code"]) == (404, "SCHEDULE_001")


async def test_the_same_twice_is_409(call: Call, schedule: dict[str, Any]) -> None:
    same = {name: schedule[name] for name in ("timing", "action", "zone")}
    answer = await call("POST", DEMO, json=same)
    assert (answer.status_code, answer.json()["code"]) == (409, "SCHEDULE_003")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"timing": "hourly"}, "SCHEDULE_002"),
        ({"timing": "0 0 31 2 *"}, "SCHEDULE_002"),
        ({"timing": "every 1h", "zone": "Mars"}, "SCHEDULE_002"),
        ({"timing": "every 1h", "action": "push"}, "REQ_001"),
        ({"timing": "every 1h", "evry": 1}, "REQ_001"),
        ({}, "REQ_001"),
    ],
)
async def test_a_body_that_is_not_right_is_400_with_a_sentence(call: Call, ticking: Any, body: Any, code: str) -> None:
    answer = await call("POST", DEMO, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert re.search(r"[a-z]{3}", answer.json()["error"])


async def test_another_tenant_has_no_such_store(call: Call, schedule: dict[str, Any]) -> None:
    for method, path in (("GET", DEMO), ("DELETE", f"{DEMO}/{schedule['id']}")):
        answer = await call(method, path, tenant="other")
        assert (answer.status_code, answer.json()["code"]) == (404, "STORE_001")
