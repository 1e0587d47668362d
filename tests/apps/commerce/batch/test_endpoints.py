"""Every endpoint of bulk operations: who may call it, what it answers, every error it declares."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from syncline.apps.commerce.batch.endpoints import ROUTERS
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId

NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"
BASE = "/api/batch"
BODY = {"store": "nope", "operation": "status", "filter": "", "updates": {"status": "active"}}
ENDPOINTS: dict[str, tuple[Any, str, str | None]] = {
    f"POST {BASE}/process": (BODY, "changes:stage", "STORE_001"),
    f"POST {BASE}/preview": (BODY, "changes:stage", "STORE_001"),
    f"GET {BASE}/status/{{run_id}}": (None, "changes:read", "BATCH_002"),
    f"POST {BASE}/cancel/{{run_id}}": (None, "changes:stage", "BATCH_002"),
    f"GET {BASE}/history": (None, "changes:read", None),
    f"GET {BASE}/results/{{run_id}}": (None, "changes:read", "BATCH_002"),
    f"POST {BASE}/retry/{{run_id}}": (None, "changes:stage", "BATCH_002"),
}
Call = Callable[..., Awaitable[httpx.Response]]


def filled(address: str) -> tuple[str, str]:
    method, path = address.replace("{run_id}", NOWHERE).split(" ")
    return method, path


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_nobody_is_401(call: Call, address: str) -> None:
    answer = await call(*filled(address), role=None)
    assert (answer.status_code, answer.json()["code"]) == (401, "API_001")


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_each_role_may_what_it_holds_and_nothing_else(call: Call, address: str) -> None:
    body, permission, _ = ENDPOINTS[address]
    answers = {role: await call(*filled(address), role=role, json=body) for role in PERMISSIONS}
    refused = {role for role, answer in answers.items() if answer.status_code == 403}
    assert refused == {role for role in PERMISSIONS if not Actor(TenantId(new_id()), "", role).may(permission)}
    assert refused


@pytest.mark.parametrize("address", [one for one, (_, _, code) in ENDPOINTS.items() if code])
async def test_what_nobody_knows_is_404(call: Call, address: str) -> None:
    body, _, code = ENDPOINTS[address]
    answer = await call(*filled(address), json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"operation": "paint"}, "operation"),
        ({"updates": []}, "updates"),
        ({"updates": {"stat": "active"}}, "updates.stat"),
        ({"filter": None}, "filter"),
        ({"product_ids": ["x"]}, "product_ids"),
        ({"product_ids": list(range(10_001))}, "product_ids"),
        ({"key": ""}, "key"),
        ({"products": [1]}, "products"),
    ],
)
async def test_what_is_wrong_is_400_with_its_field(call: Call, counter: Any, part: Any, field: str) -> None:
    for path in ("process", "preview"):
        answer = await call("POST", f"{BASE}/{path}", json={**BODY, "store": "demo", **part})
        assert (answer.status_code, answer.json()["code"]) == (400, "REQ_001")
        assert answer.json()["fields"][0]["field"].startswith(field)


async def test_from_preview_to_retry(call: Call, counter: Any) -> None:
    mug = counter.product("mug")
    body = {**BODY, "store": "demo", "filter": None, "product_ids": [mug, 404]}
    shown = (await call("POST", f"{BASE}/preview", json=body)).json()
    assert (shown["products"], shown["staged"], shown["refused"], shown["changes"][0]["label"]) == (2, 1, 1, "Mug")
    answer = await call("POST", f"{BASE}/process", json=body, role="editor")
    started = answer.json()
    assert (answer.status_code, started["status"], started["requested_by"]) == (202, "queued", "the editor")
    assert (await call("POST", f"{BASE}/retry/{started['id']}")).json()["code"] == "BATCH_004"
    await counter.pulled.work()
    done = (await call("GET", f"{BASE}/status/{started['id']}", role="viewer")).json()
    assert (done["status"], done["staged"], done["refused"]) == ("completed", 1, 1)
    results = (await call("GET", f"{BASE}/results/{started['id']}")).json()
    assert (results["parts"][0]["counts"], results["refusals"][0]["product_id"]) == ({"pending": 1}, 404)
    assert results["pagination"]["totalItems"] == 1
    assert (await call("POST", f"{BASE}/cancel/{started['id']}")).json()["code"] == "BATCH_003"
    again = await call("POST", f"{BASE}/retry/{started['id']}")
    assert (again.status_code, again.json()["retries"]) == (202, started["id"])
    listed = (await call("GET", f"{BASE}/history", params={"store": "demo"})).json()
    assert [run["id"] for run in listed["runs"]] == [again.json()["id"], started["id"]]
    assert (await call("GET", f"{BASE}/history", params={"store": "nope"})).json()["code"] == "STORE_001"


async def test_other_tenant_finds_nothing(call: Call, counter: Any) -> None:
    run = await counter.start("status", {"status": "active"})
    for method, path in (("GET", "status"), ("GET", "results"), ("POST", "cancel"), ("POST", "retry")):
        answer = await call(method, f"{BASE}/{path}/{run.id}", tenant="other")
        assert (answer.status_code, answer.json()["code"]) == (404, "BATCH_002")
    assert (await call("GET", f"{BASE}/history", tenant="other")).json()["runs"] == []
