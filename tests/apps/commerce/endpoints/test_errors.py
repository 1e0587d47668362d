"""Every error the endpoints declare, and what another tenant sees."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"  # written out: it stands in names of tests, which must not vary
STORES, SYNC = "/api/shopify/stores", "/api/enhanced-sync"
A_STORE = {"name": "second", "shop_domain": "second.myshopify.com", "token": "shpat_sandbox"}
Call = Callable[..., Awaitable[httpx.Response]]
Problem = Callable[[httpx.Response, int, str], dict[str, Any]]


async def test_errors_about_stores(pulled: Any, call: Call, problem: Problem) -> None:
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


async def test_a_store_whose_token_was_revoked_is_refused_when_asked(
    open_shop: Any, call: Call, problem: Problem
) -> None:
    shop = await open_shop(faults="token_revoked=after1")
    body = {"name": "demo", "shop_domain": shop.domain, "token": "shpat_sandbox", "base_url": shop.url}
    assert (await call("POST", STORES, json=body)).status_code == 201
    problem(await call("POST", f"{STORES}/demo/test"), 400, "STORE_003")


@pytest.mark.parametrize("body", [{"token": 5}, {"token": ["shpat_5ecret"]}, {"token": "shpat_5ecret", "name": 5}, {}])
async def test_a_wrong_body_does_not_echo_the_token(call: Call, problem: Problem, body: dict[str, Any]) -> None:
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
async def test_a_store_that_is_not_there_is_404(
    call: Call, problem: Problem, method: str, path: str, body: Any
) -> None:
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
async def test_what_is_not_there_is_404(
    pulled: Any, call: Call, problem: Problem, method: str, path: str, body: Any, code: str
) -> None:
    request = {} if body is None else {"json": body}
    problem(await call(method, f"{SYNC}/{path.format(NOWHERE)}", **request), 404, code)


async def test_a_second_run_is_409_with_the_first_ones_id(pulled: Any, call: Call, problem: Problem) -> None:
    first = (await call("POST", f"{SYNC}/shopify-down", json={"store": "demo"})).json()
    again = problem(await call("POST", f"{SYNC}/shopify-down", json={"store": "demo"}), 409, "PULL_003")
    assert again["run_id"] == first["id"]
    await call("POST", f"{SYNC}/stage", json={"store": "demo", "edits": ["price=+1"]})
    await call("POST", f"{SYNC}/approve-changes", json={"store": "demo"})
    push = (await call("POST", f"{SYNC}/shopify-up", json={"store": "demo"})).json()
    again = problem(await call("POST", f"{SYNC}/shopify-up", json={"store": "demo"}), 409, "PUSH_003")
    assert again["run_id"] == push["id"]


async def test_nothing_to_do_is_409(pulled: Any, call: Call, problem: Problem) -> None:
    nobody = {"store": "demo", "where": "vendor:nobody", "edits": ["price=1"]}
    problem(await call("POST", f"{SYNC}/stage", json=nobody), 409, "CHANGE_004")
    problem(await call("POST", f"{SYNC}/shopify-up", json={"store": "demo"}), 409, "CHANGE_004")
    batch = (await call("POST", f"{SYNC}/stage", json={**nobody, "where": ""})).json()
    problem(await call("POST", f"{SYNC}/rollback/{batch['id']}"), 409, "CHANGE_004")


@pytest.mark.parametrize("path", ["approve-changes", "reject-changes", "resolve-conflicts"])
async def test_what_cannot_be_reviewed_is_409(pulled: Any, call: Call, problem: Problem, path: str) -> None:
    more = {"resolution": "overwrite"} if path == "resolve-conflicts" else {}
    problem(await call("POST", f"{SYNC}/{path}", json={"ids": [NOWHERE], **more}), 409, "CHANGE_003")


async def test_an_edit_or_a_search_that_is_not_clear_is_400(pulled: Any, call: Call, problem: Problem) -> None:
    for body in ({"edits": ["price=12,5o"]}, {"edits": ["price=1"], "where": "vendr:Acme"}, {"edits": ["inventory=1"]}):
        found = problem(await call("POST", f"{SYNC}/stage", json={"store": "demo", **body}), 400, "REQ_001")
        assert found["fields"]
    found = problem(await call("GET", f"{SYNC}/staged-changes?search=vendr:Acme"), 400, "REQ_001")
    assert "Did you mean vendor?" in found["error"]
    problem(await call("POST", f"{SYNC}/reconcile", json={"store": "demo", "depth": "deep"}), 400, "REQ_001")
    body = {"store": "demo", "streams": ["wishes"]}
    problem(await call("POST", f"{SYNC}/shopify-down", json=body), 400, "REQ_001")


async def test_a_shop_that_refuses_is_told_as_such_and_not_as_our_own_error(
    pulled: Any, call: Call, problem: Problem
) -> None:
    async with httpx.AsyncClient(base_url=pulled.shop.url, verify=False) as control:
        await control.post("/sandbox/faults", json={"faults": "token_revoked"})
    body = problem(await call("POST", f"{SYNC}/reconcile", json={"store": "demo"}), 409, "CON_002")
    assert "access token" in body["error"]


async def test_what_differs_is_an_answer_and_no_error(pulled: Any, call: Call) -> None:
    pulled.shop.store.delete_product(next(iter(pulled.shop.store.products.values())))
    body = (await call("POST", f"{SYNC}/reconcile", json={"store": "demo", "depth": "ids", "repair": False})).json()
    (product,) = (kind for kind in body["kinds"] if kind["kind"] == "product")
    assert (body["agreed"], product["in_store"], product["in_mirror"], product["extra_count"]) == (False, 2, 3, 1)


async def test_other_tenant_sees_nothing_and_moves_nothing(pulled: Any, call: Call, problem: Problem) -> None:
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
