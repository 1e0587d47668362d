"""Every endpoint of webhook management: who may call it, whose tenant it is, every error it declares."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from tests.apps.commerce.webhooks.conftest import Hooked

from syncline.apps.commerce.webhook_management.endpoints import ROUTERS
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId

Call = Callable[..., Awaitable[httpx.Response]]
NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"
BASE = "/api/webhook-management"
OF_TENANT: dict[str, str] = {
    f"POST {BASE}/register/{{tenantId}}": "stores:manage",
    f"GET {BASE}/list/{{tenantId}}": "stores:read",
    f"DELETE {BASE}/delete-all/{{tenantId}}": "stores:manage",
    f"POST {BASE}/check/{{tenantId}}": "stores:manage",
    f"POST {BASE}/reconcile/{{tenantId}}": "stores:manage",
    f"GET {BASE}/reconcile/{{tenantId}}": "stores:read",
    f"GET {BASE}/events/{{tenantId}}": "stores:read",
    f"POST {BASE}/retry-failed/{{tenantId}}": "stores:manage",
    f"GET {BASE}/stats/{{tenantId}}": "stores:read",
}
OF_EVENT: dict[str, str] = {
    f"GET {BASE}/event/{{eventId}}": "customers:read",
    f"GET {BASE}/event/{{eventId}}/diff": "customers:read",
    f"GET {BASE}/event/{{eventId}}/diff/{{otherId}}": "customers:read",
    f"POST {BASE}/retry/{{eventId}}": "stores:manage",
    f"POST {BASE}/mark-failed/{{eventId}}": "stores:manage",
}
ENDPOINTS = {**OF_TENANT, **OF_EVENT, f"GET {BASE}/events": "stores:read"}


def filled(address: str, tenant: object = NOWHERE) -> tuple[str, str]:
    path = address.replace("{eventId}", NOWHERE).replace("{otherId}", NOWHERE).replace("{tenantId}", str(tenant))
    method, path = path.split(" ")
    return method, path


def test_the_tables_above_hold_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_nobody_is_401(call: Call, address: str) -> None:
    answer = await call(*filled(address), role=None)
    assert (answer.status_code, answer.json()["code"]) == (401, "API_001")


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_each_role_may_what_it_holds_and_nothing_else(call: Call, address: str) -> None:
    answers = {role: await call(*filled(address), role=role) for role in PERMISSIONS}
    refused = {role for role, answer in answers.items() if answer.json().get("code") == "API_002"}
    assert refused == {role for role in PERMISSIONS if not Actor(TenantId(new_id()), "", role).may(ENDPOINTS[address])}


@pytest.mark.parametrize("address", OF_TENANT)
async def test_another_tenant_s_is_403_and_none_is_404(call: Call, other_tenant_id: TenantId, address: str) -> None:
    answer = await call(*filled(address, other_tenant_id))
    assert (answer.status_code, answer.json()["code"]) == (403, "WEBHOOK_107")
    answer = await call(*filled(address, "acme"))
    assert (answer.status_code, answer.json()["code"]) == (404, "WEBHOOK_108")


@pytest.mark.parametrize("address", OF_EVENT)
async def test_a_webhook_nobody_knows_is_404(call: Call, address: str) -> None:
    answer = await call(*filled(address))
    assert (answer.status_code, answer.json()["code"]) == (404, "WEBHOOK_101")


async def test_from_registering_to_removing(call: Call, hooked: Hooked, tenant_id: TenantId) -> None:
    made = await call("POST", f"{BASE}/register/{tenant_id}", json={"url": "https://sync.example"})
    assert made.status_code == 200, made.text
    assert made.json()["address"] == "https://sync.example/api/webhooks/shopify"
    listed = (await call("GET", f"{BASE}/list/{tenant_id}", role="viewer")).json()["webhooks"]
    assert [one["store"] for one in listed] == ["demo"]
    checked = await call("POST", f"{BASE}/check/{tenant_id}", params={"store": "demo"})
    assert (checked.status_code, checked.json()["created"]) == (200, [])
    removed = await call("DELETE", f"{BASE}/delete-all/{tenant_id}")
    assert removed.json() == {"removed": len(listed[0]["subscriptions"])}
    again = await call("POST", f"{BASE}/check/{tenant_id}")
    assert (again.status_code, again.json()["code"]) == (409, "WEBHOOK_105")
    refused = await call("POST", f"{BASE}/register/{tenant_id}", json={"url": "ftp://sync.example"})
    assert (refused.status_code, refused.json()["code"]) == (400, "WEBHOOK_104")


async def test_events_over_http(call: Call, hooked: Hooked, tenant_id: TenantId) -> None:
    await hooked.send("products/update", hooked.payload("mug"))
    await hooked.send("products/update", hooked.payload("mug", later=2, title="Cup"))
    await hooked.work()
    listed = (await call("GET", f"{BASE}/events", params={"topic": "products/update", "limit": 1})).json()
    assert (len(listed["events"]), listed["pagination"]["totalItems"]) == (1, 2)
    assert (await call("GET", f"{BASE}/events/{tenant_id}", params={"status": "dead"})).json()["events"] == []
    event: dict[str, Any] = listed["events"][0]
    shown = (await call("GET", f"{BASE}/event/{event['id']}")).json()
    assert shown["payload"]["title"] == "Cup"
    diff = (await call("GET", f"{BASE}/event/{event['id']}/diff")).json()
    assert [one["path"] for one in diff["changes"]] == ["title", "updated_at"]
    retried = await call("POST", f"{BASE}/retry/{event['id']}")
    assert (retried.status_code, retried.json()["code"]) == (409, "WEBHOOK_102")
    stats = (await call("GET", f"{BASE}/stats/{tenant_id}", params={"days": 1})).json()
    assert (stats["received"], stats["success_rate"]) == (2, 100.0)
    unclear = await call("GET", f"{BASE}/events", params={"status": "lost"})
    assert unclear.status_code == 400
