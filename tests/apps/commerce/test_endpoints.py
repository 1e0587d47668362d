"""Every endpoint: who may call it, what it answers, every error it declares, and bodies that are not as they should."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from syncline.apps.commerce.app import APP
from syncline.apps.commerce.contract import ChangeQuery
from syncline.apps.commerce.endpoints import LARGEST_SHEET_BYTES, ROUTERS
from syncline.apps.commerce.facade import LocalCommerce
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.http.factory import create_app

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


def filled(address: str) -> tuple[str, str]:
    method, path = re.sub(r"\{\w+_id\}", NOWHERE, address).replace("{name}", "nope").split(" ")
    return method, path


@pytest.fixture(scope="module")
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


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of an error, whose shape is the same everywhere."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"], body["status"], body["success"]) == (status, code, status, False)
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["error"]
    assert body["correlation_id"] == answer.headers["x-correlation-id"]
    return body


# Who may.


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_nobody_is_401_before_anything_is_read(call: Call, address: str) -> None:
    method, path = filled(address)
    for request in ({}, {"content": b"{"}, {"json": {"nonsense": 1}}, {"headers": {"Authorization": "Bearer wrong"}}):
        problem(await call(method, path, role=None, **request), 401, "API_001")


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_each_role_may_what_it_holds_and_nothing_else(call: Call, address: str) -> None:
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


# Bodies.


@pytest.mark.parametrize("address", WITH_BODY)
@pytest.mark.parametrize("body", [b"{", b'{"store": ', b"store=demo", b"\xff\xfe", b"", b"\x00", b'{"store": NaN}'])
async def test_malformed_json_is_400(call: Call, address: str, body: bytes) -> None:
    method, path = filled(address)
    answer = await call(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["code"] in {"REQ_001", "REQ_002"}


@pytest.mark.parametrize("address", WITH_BODY)
@pytest.mark.parametrize("body", [[], "store", 5, None])
async def test_json_that_is_no_object_is_400(call: Call, address: str, body: Any) -> None:
    method, path = filled(address)
    problem(await call(method, path, json=body), 400, "REQ_001")


@pytest.mark.parametrize("address", WITH_BODY)
async def test_an_unknown_field_is_400_and_named(call: Call, address: str) -> None:
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
async def test_an_id_that_is_none_is_400(call: Call, address: str) -> None:
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
async def test_a_wrong_field_is_400_and_named(call: Call, path: str, body: Any, field: str) -> None:
    answer = await call("POST", f"{SYNC}/{path}", json=body)
    assert [wrong["field"] for wrong in problem(answer, 400, "REQ_001")["fields"]] == [field]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "page=0", "page=x", "status=new", "batch_id=x"])
async def test_a_wrong_parameter_is_400_and_named(call: Call, query: str) -> None:
    answer = await call("GET", f"{SYNC}/staged-changes?{query}")
    (wrong,) = problem(answer, 400, "REQ_001")["fields"]
    assert wrong["field"].startswith(query.partition("=")[0])


@pytest.mark.parametrize("path", ["approve-changes", "reject-changes", "resolve-conflicts"])
@pytest.mark.parametrize("body", [{}, {"ids": []}, {"search": "  "}, {"note": "all of it"}])
async def test_an_empty_selection_is_400_and_moves_nothing(
    pulled: Any, call: Call, path: str, body: dict[str, Any]
) -> None:
    await call("POST", f"{SYNC}/stage", json={"store": "demo", "edits": ["price=+1"]})
    more = {"resolution": "skip"} if path == "resolve-conflicts" else {}
    answer = await call("POST", f"{SYNC}/{path}", json={**body, **more})
    assert "Say which changes" in problem(answer, 400, "REQ_001")["error"]
    (batch,) = (await call("GET", f"{SYNC}/batches")).json()["batches"]
    assert batch["counts"] == {"pending": 4}


# The way of a change.


async def test_the_whole_way_over_http(pulled: Any, call: Call) -> None:
    started = await call("POST", f"{SYNC}/shopify-down", role="editor", json={"store": "demo", "mode": "full"})
    assert (started.status_code, started.json()["status"]) == (202, "queued")
    await pulled.work()
    pull = (await call("GET", f"{SYNC}/pulls/{started.json()['id']}")).json()
    assert (pull["status"], pull["reconciliation"]["agreed"]) == ("completed", True)
    assert [stream["read"] for stream in pull["streams"]][:3] == [7, 8, 4]

    body = {"store": "demo", "where": "vendor:acme", "edits": ["price=+10%~.99", "tags=+sale"], "note": "summer"}
    staged = await call("POST", f"{SYNC}/stage", role="editor", json=body)
    batch = staged.json()
    assert (staged.status_code, batch["counts"], batch["author"]) == (201, {"pending": 3}, "the editor")

    listed = (await call("GET", f"{SYNC}/staged-changes", params={"batch_id": batch["id"], "limit": 2})).json()
    assert [change["after"] for change in listed["changes"]] == [
        {"tags": ["Linen", "summer", "sale"]},
        {"price": "21.99"},
    ]
    assert listed["pagination"] == {
        "currentPage": 1,
        "totalPages": 2,
        "totalItems": 3,
        "itemsPerPage": 2,
        "hasNextPage": True,
        "hasPreviousPage": False,
    }
    change_id = listed["changes"][1]["id"]
    one = (await call("GET", f"{SYNC}/staged-changes/{change_id}")).json()
    assert one == listed["changes"][1]

    rejected = await call(
        "POST", f"{SYNC}/reject-changes", role="approver", json={"search": "field:tags", "store": "demo"}
    )
    assert rejected.json() == {"changed": 1}
    approved = await call(
        "POST", f"{SYNC}/approve-changes", role="approver", json={"batch_id": batch["id"], "note": "ok"}
    )
    assert approved.json() == {"changed": 2}
    pending = await call("GET", f"{SYNC}/staged-changes?status=approved&status=rejected&search=sku:shirt-s")
    assert [change["note"] for change in pending.json()["changes"]] == ["ok"]

    pushed = await call("POST", f"{SYNC}/shopify-up", role="service", json={"store": "demo", "batch_id": batch["id"]})
    assert (pushed.status_code, pushed.json()["total"]) == (202, 2)
    await pulled.work()
    push = (await call("GET", f"{SYNC}/pushes/{pushed.json()['id']}")).json()
    assert (push["status"], push["counts"]) == ("completed", {"applied": 2})
    assert pulled.shop.variant("SHIRT-S").price == "21.99"

    receipts = (await call("GET", f"{SYNC}/batches/{batch['id']}/receipts")).json()
    assert [(one["before"], one["after"]) for one in receipts["receipts"]] == [
        ({"price": "20.00"}, {"price": "21.99"}),
        ({"price": "22.00"}, {"price": "23.99"}),
    ]

    undo = await call("POST", f"{SYNC}/rollback/{batch['id']}", role="editor")
    assert (undo.status_code, undo.json()["reverts"], undo.json()["counts"]) == (201, batch["id"], {"pending": 2})
    chosen = {"change_ids": [change_id], "note": "only this"}
    assert (await call("POST", f"{SYNC}/rollback/{batch['id']}", json=chosen)).json()["counts"] == {"pending": 1}

    batches = (await call("GET", f"{SYNC}/batches", params={"store": "demo"})).json()["batches"]
    assert [one["kind"] for one in batches] == ["rollback", "rollback", "edit"]

    outcome = (await call("POST", f"{SYNC}/reconcile", json={"store": "demo", "depth": "content"})).json()
    assert (outcome["agreed"], outcome["method"]) == (True, "content")

    status = (await call("GET", f"{SYNC}/status", role="viewer", params={"store": "demo"})).json()["stores"]
    assert [one["changes"] for one in status] == [{"applied": 2, "pending": 3, "rejected": 1}]
    assert status[0]["last_push"]["id"] == push["id"]
    assert (await call("GET", f"{SYNC}/status")).json()["stores"] == status


async def test_a_conflict_is_resolved_over_http(pulled: Any, call: Call, commerce: LocalCommerce, owner: Actor) -> None:
    await call("POST", f"{SYNC}/stage", json={"store": "demo", "where": "sku:shirt-s", "edits": ["price=+1"]})
    await call("POST", f"{SYNC}/approve-changes", json={"store": "demo"})
    pulled.shop.store.update_variant(pulled.shop.variant("SHIRT-S"), price="5.00")
    await pulled.push()
    listed = (await call("GET", f"{SYNC}/staged-changes?status=conflict")).json()["changes"]
    assert [change["theirs"] for change in listed] == [{"price": "5.00"}]
    answer = await call("POST", f"{SYNC}/resolve-conflicts", json={"ids": [listed[0]["id"]], "resolution": "skip"})
    assert answer.json() == {"changed": 1}
    changes = await commerce.list_changes(actor=owner, query=ChangeQuery(), page=PageRequest())
    assert [change.status for change in changes.items] == ["skipped"]


async def test_a_pull_is_cancelled(pulled: Any, call: Call) -> None:
    run_id = (await call("POST", f"{SYNC}/shopify-down", json={"store": "demo"})).json()["id"]
    assert (await call("POST", f"{SYNC}/pulls/{run_id}/cancel")).json()["status"] == "cancelled"


async def test_a_store_is_connected_listed_and_asked_again(shop: Any, call: Call) -> None:
    body = {"name": "demo", "shop_domain": shop.domain, "token": "shpat_sandbox", "base_url": shop.url}
    made = await call("POST", STORES, json=body)
    assert made.status_code == 201
    listed = await call("GET", STORES, role="viewer")
    assert listed.json() == {"stores": [made.json()]}
    shop.store.shop.plan = "Shopify Plus"
    asked = await call("POST", f"{STORES}/demo/test")
    assert (asked.status_code, asked.json()) == (200, {**made.json(), "plan": "Shopify Plus"})
    shop.renew("shpat_new")
    renewed = await call("PUT", f"{STORES}/demo/token", json={"token": "shpat_new"})
    assert (renewed.status_code, renewed.json()) == (200, asked.json())
    assert (await call("POST", f"{STORES}/demo/test")).status_code == 200
    assert "shpat_" not in made.text + listed.text + asked.text + renewed.text


# Every declared error.


async def test_errors_about_stores(pulled: Any, call: Call) -> None:
    given = {**A_STORE, "base_url": pulled.shop.url}
    problem(await call("POST", STORES, json={**given, "token": "wrong"}), 400, "STORE_003")
    problem(await call("POST", STORES, json={**given, "name": "demo"}), 409, "STORE_002")
    for changes, field in (({"name": "No Name"}, "name"), ({"base_url": "https://example.com"}, "base_url")):
        found = problem(await call("POST", STORES, json={**given, **changes}), 400, "REQ_001")
        assert [wrong["field"] for wrong in found["fields"]] == [field]
    problem(await call("PUT", f"{STORES}/nope/token", json={"token": "shpat_new"}), 404, "STORE_001")
    problem(await call("PUT", f"{STORES}/demo/token", json={"token": "shpat_wrong"}), 400, "STORE_003")
    for path in (f"{STORES}/nope/test", f"{SYNC}/status?store=nope"):
        problem(await call("POST" if path.endswith("test") else "GET", path), 404, "STORE_001")


async def test_a_store_whose_token_was_revoked_is_refused_when_asked(open_shop: Any, call: Call) -> None:
    shop = await open_shop(faults="token_revoked=after1")
    body = {"name": "demo", "shop_domain": shop.domain, "token": "shpat_sandbox", "base_url": shop.url}
    assert (await call("POST", STORES, json=body)).status_code == 201
    problem(await call("POST", f"{STORES}/demo/test"), 400, "STORE_003")


@pytest.mark.parametrize("body", [{"token": 5}, {"token": ["shpat_5ecret"]}, {"token": "shpat_5ecret", "name": 5}, {}])
async def test_a_wrong_body_does_not_echo_the_token(call: Call, body: dict[str, Any]) -> None:
    answer = await call("POST", STORES, json={**body, "shop_domain": "x"})
    problem(answer, 400, "REQ_001")
    assert "5ecret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "shopify-down", {"store": "nope"}),
        ("POST", "stage", {"store": "nope", "edits": ["price=1"]}),
        ("POST", "import?store=nope", None),
        ("GET", "staged-changes?store=nope", None),
        ("POST", "approve-changes", {"store": "nope"}),
        ("POST", "reject-changes", {"store": "nope"}),
        ("POST", "resolve-conflicts", {"store": "nope", "resolution": "skip"}),
        ("POST", "shopify-up", {"store": "nope"}),
        ("GET", "batches?store=nope", None),
        ("POST", "reconcile", {"store": "nope"}),
    ],
)
async def test_a_store_that_is_not_there_is_404(call: Call, method: str, path: str, body: Any) -> None:
    request = {} if body is None else {"json": body}
    problem(await call(method, f"{SYNC}/{path}", **request), 404, "STORE_001")


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "pulls/{}", None, "PULL_002"),
        ("POST", "pulls/{}/cancel", None, "PULL_002"),
        ("GET", "pushes/{}", None, "PULL_002"),
        ("GET", "staged-changes/{}", None, "CHANGE_002"),
        ("GET", "staged-changes?batch_id={}", None, "CHANGE_002"),
        ("GET", "batches/{}/receipts", None, "CHANGE_002"),
        ("POST", "rollback/{}", None, "CHANGE_002"),
        ("POST", "approve-changes", {"batch_id": NOWHERE}, "CHANGE_002"),
        ("POST", "reject-changes", {"batch_id": NOWHERE}, "CHANGE_002"),
        ("POST", "resolve-conflicts", {"batch_id": NOWHERE, "resolution": "merge"}, "CHANGE_002"),
        ("POST", "shopify-up", {"store": "demo", "batch_id": NOWHERE}, "CHANGE_002"),
    ],
)
async def test_what_is_not_there_is_404(pulled: Any, call: Call, method: str, path: str, body: Any, code: str) -> None:
    request = {} if body is None else {"json": body}
    problem(await call(method, f"{SYNC}/{path.format(NOWHERE)}", **request), 404, code)


async def test_a_second_run_is_409_with_the_first_ones_id(pulled: Any, call: Call) -> None:
    first = (await call("POST", f"{SYNC}/shopify-down", json={"store": "demo"})).json()
    again = problem(await call("POST", f"{SYNC}/shopify-down", json={"store": "demo"}), 409, "PULL_003")
    assert again["run_id"] == first["id"]
    await call("POST", f"{SYNC}/stage", json={"store": "demo", "edits": ["price=+1"]})
    await call("POST", f"{SYNC}/approve-changes", json={"store": "demo"})
    push = (await call("POST", f"{SYNC}/shopify-up", json={"store": "demo"})).json()
    again = problem(await call("POST", f"{SYNC}/shopify-up", json={"store": "demo"}), 409, "PUSH_003")
    assert again["run_id"] == push["id"]


async def test_nothing_to_do_is_409(pulled: Any, call: Call) -> None:
    nobody = {"store": "demo", "where": "vendor:nobody", "edits": ["price=1"]}
    problem(await call("POST", f"{SYNC}/stage", json=nobody), 409, "CHANGE_004")
    problem(await call("POST", f"{SYNC}/shopify-up", json={"store": "demo"}), 409, "CHANGE_004")
    batch = (await call("POST", f"{SYNC}/stage", json={**nobody, "where": ""})).json()
    problem(await call("POST", f"{SYNC}/rollback/{batch['id']}"), 409, "CHANGE_004")


@pytest.mark.parametrize("path", ["approve-changes", "reject-changes", "resolve-conflicts"])
async def test_what_cannot_be_reviewed_is_409(pulled: Any, call: Call, path: str) -> None:
    more = {"resolution": "overwrite"} if path == "resolve-conflicts" else {}
    problem(await call("POST", f"{SYNC}/{path}", json={"ids": [NOWHERE], **more}), 409, "CHANGE_003")


async def test_an_edit_or_a_search_that_is_not_clear_is_400(pulled: Any, call: Call) -> None:
    for body in ({"edits": ["price=12,5o"]}, {"edits": ["price=1"], "where": "vendr:Acme"}, {"edits": ["inventory=1"]}):
        found = problem(await call("POST", f"{SYNC}/stage", json={"store": "demo", **body}), 400, "REQ_001")
        assert found["fields"]
    found = problem(await call("GET", f"{SYNC}/staged-changes?search=vendr:Acme"), 400, "REQ_001")
    assert "Did you mean vendor?" in found["error"]
    problem(await call("POST", f"{SYNC}/reconcile", json={"store": "demo", "depth": "deep"}), 400, "REQ_001")
    body = {"store": "demo", "streams": ["wishes"]}
    problem(await call("POST", f"{SYNC}/shopify-down", json=body), 400, "REQ_001")


async def test_a_shop_that_refuses_is_told_as_such_and_not_as_our_own_error(pulled: Any, call: Call) -> None:
    async with httpx.AsyncClient(base_url=pulled.shop.url, verify=False) as control:
        await control.post("/sandbox/faults", json={"faults": "token_revoked"})
    body = problem(await call("POST", f"{SYNC}/reconcile", json={"store": "demo"}), 409, "CON_002")
    assert "access token" in body["error"]


async def test_what_differs_is_an_answer_and_no_error(pulled: Any, call: Call) -> None:
    pulled.shop.store.delete_product(next(iter(pulled.shop.store.products.values())))
    body = (await call("POST", f"{SYNC}/reconcile", json={"store": "demo", "depth": "ids", "repair": False})).json()
    (product,) = (kind for kind in body["kinds"] if kind["kind"] == "product")
    assert (body["agreed"], product["in_store"], product["in_mirror"], product["extra_count"]) == (False, 2, 3, 1)


# Another tenant.


async def test_other_tenant_sees_nothing_and_moves_nothing(pulled: Any, call: Call) -> None:
    batch = (await call("POST", f"{SYNC}/stage", json={"store": "demo", "edits": ["price=+1"]})).json()
    change = (await call("GET", f"{SYNC}/staged-changes")).json()["changes"][0]["id"]
    run = (await call("POST", f"{SYNC}/shopify-down", json={"store": "demo"})).json()["id"]
    for path, name in ((STORES, "stores"), (f"{SYNC}/status", "stores"), (f"{SYNC}/batches", "batches")):
        assert (await call("GET", path, tenant="other")).json()[name] == []
    listed = (await call("GET", f"{SYNC}/staged-changes", tenant="other")).json()
    assert (listed["changes"], listed["pagination"]["totalItems"]) == ([], 0)
    for method, path, body in (
        ("GET", f"pulls/{run}", None),
        ("POST", f"pulls/{run}/cancel", None),
        ("GET", f"staged-changes/{change}", None),
        ("GET", f"batches/{batch['id']}/receipts", None),
        ("POST", f"rollback/{batch['id']}", None),
        ("POST", "approve-changes", {"batch_id": batch["id"]}),
        ("POST", "shopify-up", {"store": "demo"}),
        ("POST", "shopify-down", {"store": "demo"}),
        ("POST", "reconcile", {"store": "demo"}),
        ("POST", "import?store=demo", None),
    ):
        request = {} if body is None else {"json": body}
        assert (await call(method, f"{SYNC}/{path}", tenant="other", **request)).status_code == 404
    problem(await call("POST", f"{SYNC}/approve-changes", tenant="other", json={"ids": [change]}), 409, "CHANGE_003")
    assert (await call("GET", f"{SYNC}/pulls/{run}")).json()["status"] == "queued"
    assert (await call("GET", f"{SYNC}/staged-changes/{change}")).json()["status"] == "pending"


# A sheet as a body.


async def sheet(call: Call, content: Any, **params: Any) -> httpx.Response:
    headers = {"Content-Type": "text/csv"}
    return await call("POST", f"{SYNC}/import", params={"store": "demo", **params}, content=content, headers=headers)


async def test_a_sheet_is_staged(pulled: Any, call: Call) -> None:
    content = b"Handle,Variant Price\nmug,9.50\nwool-hat,15.50\n"
    answer = await sheet(call, content, name="prices.csv")
    body = answer.json()
    assert (answer.status_code, body["rows"], body["staged"], body["unchanged"]) == (200, 2, 1, 1)
    assert (body["batch"]["summary"], body["batch"]["counts"]) == ("Import of prices.csv", {"pending": 1})
    assert (await sheet(call, content)).json()["batch"]["summary"] == "Import of a sheet"


async def test_a_refused_sheet_lists_row_column_and_reason(pulled: Any, call: Call) -> None:
    content = b'Handle,Variant Price,Colour\nmug,"12,5o",red\nmugg,1,red\n'
    body = problem(await sheet(call, content), 400, "IMPORT_001")
    assert [(one["row"], one["column"], one["severity"]) for one in body["result"]["problems"]] == [
        (1, "Colour", "error"),
        (2, "Variant Price", "error"),
        (3, "Handle", "error"),
    ]
    assert all(one["reason"] for one in body["result"]["problems"])
    assert (body["result"]["errors"], body["result"]["rows"]) == (3, 2)
    assert (await call("GET", f"{SYNC}/batches")).json()["batches"] == []


async def test_the_options_of_an_import_are_parameters(pulled: Any, call: Call) -> None:
    content = "Handle;Title;Colour;Variant Inventory Qty\nmug;Été;red;7\nnobody;x;red;\n".encode("cp1252")
    options = {"keep_good": True, "ignore_unknown": True, "encoding": "cp1252", "location": "main warehouse"}
    body = (await sheet(call, content, **options)).json()
    assert (body["staged"], body["errors"], body["batch"]["counts"]) == (2, 1, {"pending": 2})
    found = problem(await sheet(call, content, location="nowhere"), 400, "REQ_001")
    assert "It has Main warehouse or Flagship store" in found["error"]


async def test_a_body_that_is_no_sheet_is_refused(pulled: Any, call: Call) -> None:
    for content in (b"", b"\x89PNG\r\n\x1a\n\x00\x00", b'{"store": "demo"}', b"PK\x03\x04" + bytes(100)):
        problem(await sheet(call, content), 400, "IMPORT_001")


async def test_a_large_sheet_is_taken_in_pieces(pulled: Any, call: Call) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"Handle,Variant Price,Notes\nmug,9.50,\n"
        for _ in range(15):
            yield b"mug,," + b"x" * 1_000_000 + b"\n"

    answer = await sheet(call, pieces(), ignore_unknown=True)
    assert (answer.status_code, answer.json()["rows"], answer.json()["staged"]) == (200, 16, 1)


async def test_only_a_sheet_may_be_large(call: Call) -> None:
    for path, limit in (("import?store=demo", LARGEST_SHEET_BYTES), ("stage", 10_000_000)):
        headers = {"Content-Length": str(limit + 1)}
        body = problem(await call("POST", f"{SYNC}/{path}", content=b"x", headers=headers), 413, "REQ_013")
        assert body["limit_bytes"] == limit


# A store as a file.


@pytest.mark.parametrize("form", ["csv", "xlsx", "json", "jsonl", "parquet"])
async def test_an_exported_store_comes_back_without_a_change(pulled: Any, call: Call, form: str) -> None:
    answer = await call("GET", f"{STORES}/demo/export", params={"format": form}, role="viewer")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="demo-products.{form}"'
    assert int(answer.headers["x-row-count"]) > 0
    body = (await sheet(call, answer.content)).json()
    assert (body["staged"], body["errors"], body["products"]) == (0, 0, len(pulled.shop.store.products))


async def test_an_export_has_a_search_columns_and_a_kind(pulled: Any, call: Call) -> None:
    params = {"q": "vendor:Globex", "columns": ["price", "sku"], "format": "jsonl"}
    answer = await call("GET", f"{STORES}/demo/export", params=params)
    (product,) = [json.loads(line) for line in answer.text.splitlines()]
    assert (product["handle"], list(product["variants"][0])) == ("mug", ["id", "options", "price", "sku"])
    stock = await call("GET", f"{STORES}/demo/export", params={"kind": "inventory", "q": "handle:mug"})
    assert stock.headers["content-type"] == "text/csv; charset=utf-8"
    assert stock.text.splitlines()[1].startswith("mug,Mug,Title,Default Title")


async def test_an_export_that_cannot_be_is_an_error_and_no_file(pulled: Any, call: Call) -> None:
    path = f"{STORES}/demo/export"
    problem(await call("GET", f"{STORES}/nope/export"), 404, "STORE_001")
    problem(await call("GET", path, params={"format": "xls"}), 400, "REQ_001")
    problem(await call("GET", path, params={"columns": "prise"}), 400, "REQ_001")
    problem(await call("GET", path, params={"q": "vendr:x"}), 400, "REQ_001")
    problem(await call("GET", path, params={"q": "vendor:Nobody"}), 409, "CHANGE_004")
    problem(await call("GET", path, tenant="other"), 404, "STORE_001")
