"""The way of a change, a pull and a store over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from syncline.apps.commerce.contract import ChangeQuery
from syncline.apps.commerce.facade import LocalCommerce
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor

STORES, SYNC = "/api/shopify/stores", "/api/enhanced-sync"
Call = Callable[..., Awaitable[httpx.Response]]
Problem = Callable[[httpx.Response, int, str], dict[str, Any]]


async def test_the_whole_way_over_http(pulled: Any, call: Call) -> None:
    started = await call("POST", f"{SYNC}/shopify-down", role="editor", json={"store": "demo", "mode": "full"})
    assert (started.status_code, started.json()["status"]) == (202, "queued")
    await pulled.work()
    pull = (await call("GET", f"{SYNC}/pulls/{started.json()['id']}")).json()
    assert (pull["status"], pull["reconciliation"]["agreed"]) == ("completed", True)
    assert {stream["stream"]: stream["read"] for stream in pull["streams"] if stream["read"]} == {
        "products": 7,
        "inventory": 8,
        "inventory_items": 4,
    }

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
    assert rejected.json() == {"changed": 1, "to_push": 0, "accepted": 0, "put_back": []}
    approved = await call(
        "POST", f"{SYNC}/approve-changes", role="approver", json={"batch_id": batch["id"], "note": "ok"}
    )
    assert approved.json() == {"changed": 2, "to_push": 2, "accepted": 0, "put_back": []}
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
    again = await call("POST", f"{SYNC}/rollback/{batch['id']}", json=chosen)
    assert (again.status_code, undo.json()["id"] in again.json()["error"]) == (409, True)
    await call("POST", f"{SYNC}/reject-changes", role="approver", json={"batch_id": undo.json()["id"]})
    assert (await call("POST", f"{SYNC}/rollback/{batch['id']}", json=chosen)).json()["counts"] == {"pending": 1}

    batches = (await call("GET", f"{SYNC}/batches", params={"store": "demo"})).json()["batches"]
    assert [one["kind"] for one in batches] == ["rollback", "rollback", "edit"]

    outcome = (await call("POST", f"{SYNC}/reconcile", json={"store": "demo", "depth": "content"})).json()
    assert (outcome["agreed"], outcome["method"]) == (True, "content")

    status = (await call("GET", f"{SYNC}/status", role="viewer", params={"store": "demo"})).json()["stores"]
    assert [one["changes"] for one in status] == [{"applied": 2, "pending": 1, "rejected": 3}]
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
