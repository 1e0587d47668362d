"""Every endpoint: who may call it, and bodies that are not as they should."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from syncline.apps.commerce.endpoints import ROUTERS
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId

NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"  # written out: it stands in names of tests, which must not vary
STORES, SYNC = "/api/shopify/stores", "/api/enhanced-sync"
A_STORE = {"name": "second", "shop_domain": "second.myshopify.com", "token": "shpat_sandbox"}

# Address, a body that is understood, and the permission it takes.
ENDPOINTS: dict[str, tuple[Any, str]] = {
    f"GET {STORES}": (None, "stores:read"),
    f"POST {STORES}": ({**A_STORE, "base_url": "http://127.0.0.1:1"}, "stores:manage"),
    f"POST {STORES}/{{name}}/test": (None, "stores:manage"),
    f"PUT {STORES}/{{name}}/token": ({"token": "shpat_new"}, "stores:manage"),
    f"GET {STORES}/{{name}}/export": (None, "catalog:read"),
    f"GET {SYNC}/status": (None, "changes:read"),
    f"POST {SYNC}/shopify-down": ({"store": "nope"}, "catalog:pull"),
    f"GET {SYNC}/pulls/{{run_id}}": (None, "changes:read"),
    f"POST {SYNC}/pulls/{{run_id}}/cancel": (None, "catalog:pull"),
    f"POST {SYNC}/stage": ({"store": "nope", "edits": ["price=1"]}, "changes:stage"),
    f"POST {SYNC}/import": (None, "changes:stage"),
    f"GET {SYNC}/staged-changes": (None, "changes:read"),
    f"GET {SYNC}/staged-changes/{{change_id}}": (None, "changes:read"),
    f"POST {SYNC}/approve-changes": ({"ids": [NOWHERE]}, "changes:approve"),
    f"POST {SYNC}/reject-changes": ({"ids": [NOWHERE]}, "changes:approve"),
    f"POST {SYNC}/resolve-conflicts": ({"ids": [NOWHERE], "resolution": "skip"}, "changes:approve"),
    f"POST {SYNC}/shopify-up": ({"store": "nope"}, "changes:push"),
    f"GET {SYNC}/pushes/{{run_id}}": (None, "changes:read"),
    f"GET {SYNC}/batches": (None, "changes:read"),
    f"GET {SYNC}/batches/{{batch_id}}/receipts": (None, "changes:read"),
    f"POST {SYNC}/rollback/{{batch_id}}": (None, "changes:stage"),
    f"POST {SYNC}/reconcile": ({"store": "nope"}, "catalog:pull"),
}
WITH_BODY = sorted(address for address, (body, _) in ENDPOINTS.items() if body is not None)
Call = Callable[..., Awaitable[httpx.Response]]
Problem = Callable[[httpx.Response, int, str], dict[str, Any]]


def filled(address: str) -> tuple[str, str]:
    method, path = re.sub(r"\{\w+_id\}", NOWHERE, address).replace("{name}", "nope").split(" ")
    return method, path


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_nobody_is_401_before_anything_is_read(call: Call, problem: Problem, address: str) -> None:
    method, path = filled(address)
    for request in ({}, {"content": b"{"}, {"json": {"nonsense": 1}}, {"headers": {"Authorization": "Bearer wrong"}}):
        problem(await call(method, path, role=None, **request), 401, "API_001")


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_each_role_may_what_it_holds_and_nothing_else(call: Call, problem: Problem, address: str) -> None:
    body, permission = ENDPOINTS[address]
    method, path = filled(address)
    request = {} if body is None else {"json": body}
    request |= {"params": {"store": "nope"}} if address.endswith("/import") else {}
    refused = set()
    for role in PERMISSIONS:
        answer = await call(method, path, role=role, **request)
        if answer.status_code == 403:
            assert permission in problem(answer, 403, "API_002")["error"]
            refused.add(role)
    assert refused == {role for role in PERMISSIONS if not Actor(TenantId(new_id()), "", role).may(permission)}
    assert refused


@pytest.mark.parametrize("address", WITH_BODY)
@pytest.mark.parametrize("body", [b"{", b'{"store": ', b"store=demo", b"\xff\xfe", b"", b"\x00", b'{"store": NaN}'])
async def test_malformed_json_is_400(call: Call, address: str, body: bytes) -> None:
    method, path = filled(address)
    answer = await call(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["code"] in {"REQ_001", "REQ_002"}


@pytest.mark.parametrize("address", WITH_BODY)
@pytest.mark.parametrize("body", [[], "store", 5, None])
async def test_json_that_is_no_object_is_400(call: Call, problem: Problem, address: str, body: Any) -> None:
    method, path = filled(address)
    problem(await call(method, path, json=body), 400, "REQ_001")


@pytest.mark.parametrize("address", WITH_BODY)
async def test_an_unknown_field_is_400_and_named(call: Call, problem: Problem, address: str) -> None:
    method, path = filled(address)
    answer = await call(method, path, json={**ENDPOINTS[address][0], "dry_run": True})
    assert [wrong["field"] for wrong in problem(answer, 400, "REQ_001")["fields"]] == ["dry_run"]


@pytest.mark.parametrize("address", WITH_BODY)
async def test_what_no_text_can_hold_is_400_and_not_a_broken_statement(call: Call, address: str) -> None:
    method, path = filled(address)
    whole = ENDPOINTS[address][0]
    texts = [name for name, value in whole.items() if isinstance(value, str) and name not in {"resolution", "base_url"}]
    for name in [*texts, *(["note"] if "ids" in whole else [])]:
        for spoilt in ("a\x00b", "\ud800"):
            body = json.dumps({**whole, name: spoilt}).encode()  # httpx refuses to send half a character
            answer = await call(method, path, content=body)
            assert (name, answer.status_code // 100) == (name, 4)


@pytest.mark.parametrize("address", [address for address in ENDPOINTS if "_id}" in address])
async def test_an_id_that_is_none_is_400(call: Call, problem: Problem, address: str) -> None:
    method, path = filled(address)
    answer = await call(method, path.replace(NOWHERE, "x' OR 1=1 --"))
    assert len(problem(answer, 400, "REQ_001")["fields"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("shopify-down", {"store": "demo", "mode": "some"}, "mode"),
        ("shopify-down", {"store": "demo", "path": "quick"}, "path"),
        ("shopify-down", {"store": "demo", "streams": "products"}, "streams"),
        ("stage", {"store": "demo", "edits": []}, "edits"),
        ("stage", {"store": "demo", "edits": ["price=1"], "where": 5}, "where"),
        ("stage", {"edits": ["price=1"]}, "store"),
        ("approve-changes", {"ids": ["x"]}, "ids[0]"),
        ("approve-changes", {"ids": [NOWHERE] * 10_001}, "ids"),
        ("resolve-conflicts", {"ids": [NOWHERE], "resolution": "guess"}, "resolution"),
        ("resolve-conflicts", {"ids": [NOWHERE]}, "resolution"),
        ("reconcile", {"store": "demo", "repair": "perhaps"}, "repair"),
        (f"rollback/{NOWHERE}", {"change_ids": ["x"]}, "change_ids[0]"),
    ],
)
async def test_a_wrong_field_is_400_and_named(call: Call, problem: Problem, path: str, body: Any, field: str) -> None:
    answer = await call("POST", f"{SYNC}/{path}", json=body)
    assert [wrong["field"] for wrong in problem(answer, 400, "REQ_001")["fields"]] == [field]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "page=0", "page=x", "status=new", "batch_id=x"])
async def test_a_wrong_parameter_is_400_and_named(call: Call, problem: Problem, query: str) -> None:
    answer = await call("GET", f"{SYNC}/staged-changes?{query}")
    (wrong,) = problem(answer, 400, "REQ_001")["fields"]
    assert wrong["field"].startswith(query.partition("=")[0])


@pytest.mark.parametrize("path", ["approve-changes", "reject-changes", "resolve-conflicts"])
@pytest.mark.parametrize("body", [{}, {"ids": []}, {"search": "  "}, {"note": "all of it"}])
async def test_an_empty_selection_is_400_and_moves_nothing(
    pulled: Any, call: Call, problem: Problem, path: str, body: dict[str, Any]
) -> None:
    await call("POST", f"{SYNC}/stage", json={"store": "demo", "edits": ["price=+1"]})
    more = {"resolution": "skip"} if path == "resolve-conflicts" else {}
    answer = await call("POST", f"{SYNC}/{path}", json={**body, **more})
    assert "Say which changes" in problem(answer, 400, "REQ_001")["error"]
    (batch,) = (await call("GET", f"{SYNC}/batches")).json()["batches"]
    assert batch["counts"] == {"pending": 4}
