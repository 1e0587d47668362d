"""Counts, selections, notes, assignment and dates over HTTP: who may, what is answered, every declared error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from syncline.apps.commerce.decisions.endpoints import ROUTERS
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId

Call = Callable[..., Awaitable[httpx.Response]]
NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"
SYNC = "/api/enhanced-sync"
ENDPOINTS: dict[str, tuple[Any, str]] = {
    f"GET {SYNC}/change-counts": (None, "changes:read"),
    f"POST {SYNC}/selections": ({"store": "nope"}, "changes:read"),
    f"GET {SYNC}/selections/{{selection_id}}": (None, "changes:read"),
    f"POST {SYNC}/change-notes": ({"ids": [NOWHERE], "text": "hm"}, "changes:stage"),
    f"GET {SYNC}/staged-changes/{{change_id}}/notes": (None, "changes:read"),
    f"POST {SYNC}/assign-changes": ({"ids": [NOWHERE], "assignee": None}, "changes:stage"),
    f"POST {SYNC}/expire-changes": ({"ids": [NOWHERE], "at": None}, "changes:approve"),
}


def filled(address: str) -> tuple[str, str]:
    method, path = address.replace("{change_id}", NOWHERE).replace("{selection_id}", NOWHERE).split(" ")
    return method, path


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_each_role_may_what_it_holds_and_nothing_else(call: Call, address: str) -> None:
    body, permission = ENDPOINTS[address]
    assert (await call(*filled(address), role=None)).json()["code"] == "API_001"
    answers = {role: await call(*filled(address), role=role, json=body) for role in PERMISSIONS}
    refused = {role for role, answer in answers.items() if answer.status_code == 403}
    assert refused == {role for role in PERMISSIONS if not Actor(TenantId(new_id()), "", role).may(permission)}


async def test_every_error_over_http(call: Call, table: Any) -> None:
    batch = str(await table.stage(1))
    for expected, method, path, body in (
        ("STORE_001", "GET", f"{SYNC}/change-counts?store=nope", None),
        ("REQ_001", "GET", f"{SYNC}/change-counts?by=colour", None),
        ("REQ_001", "POST", f"{SYNC}/selections", {}),
        ("REQ_001", "POST", f"{SYNC}/selections", {"search": "colour:red"}),
        ("CHANGE_002", "POST", f"{SYNC}/selections", {"batch_id": NOWHERE}),
        ("CHANGE_005", "POST", f"{SYNC}/selections", {"selection_id": NOWHERE}),
        ("CHANGE_005", "GET", f"{SYNC}/selections/{NOWHERE}", None),
        ("CHANGE_005", "GET", f"{SYNC}/staged-changes?selection_id={NOWHERE}", None),
        ("CHANGE_005", "POST", f"{SYNC}/approve-changes", {"selection_id": NOWHERE}),
        ("CHANGE_005", "POST", f"{SYNC}/conflicts/settle", {"selection_id": NOWHERE}),
        ("CHANGE_004", "POST", f"{SYNC}/change-notes", {"ids": [NOWHERE], "text": "hm"}),
        ("REQ_001", "POST", f"{SYNC}/change-notes", {"batch_id": batch, "text": ""}),
        ("CHANGE_002", "GET", f"{SYNC}/staged-changes/{NOWHERE}/notes", None),
        ("CHANGE_003", "POST", f"{SYNC}/assign-changes", {"ids": [NOWHERE], "assignee": "grace@example.com"}),
        ("CHANGE_006", "POST", f"{SYNC}/assign-changes", {"batch_id": batch, "assignee": "x@example.com"}),
        ("REQ_001", "POST", f"{SYNC}/assign-changes", {"batch_id": batch}),
        ("CHANGE_003", "POST", f"{SYNC}/expire-changes", {"ids": [NOWHERE], "at": None}),
        ("REQ_001", "POST", f"{SYNC}/expire-changes", {"batch_id": batch, "at": "2020-01-01T00:00:00Z"}),
        ("REQ_001", "POST", f"{SYNC}/expire-changes", {"batch_id": batch, "at": "2027-01-01T00:00:00"}),
    ):
        answer = await call(method, path, json=body)
        assert (path, body, answer.json()["code"]) == (path, body, expected)


async def test_the_whole_way_over_http(call: Call, table: Any) -> None:
    batch = str(await table.stage(3))
    body = {"batch_id": batch, "statuses": ["pending"]}
    chosen = (await call("POST", f"{SYNC}/selections", json=body, role="viewer")).json()
    assert (chosen["changes"], chosen["counts"]) == (3, {"pending": 3})
    await table.stage(2)
    these = {"selection_id": chosen["id"]}
    listed = (await call("GET", f"{SYNC}/staged-changes", params=these)).json()
    assert listed["pagination"]["totalItems"] == 3
    assigned = await call("POST", f"{SYNC}/assign-changes", json={**these, "assignee": "grace@example.com"})
    assert assigned.json() == {"changed": 3}
    dated = await call("POST", f"{SYNC}/expire-changes", json={**these, "at": None}, role="approver")
    assert dated.json() == {"changed": 3}
    noted = await call("POST", f"{SYNC}/change-notes", json={**these, "text": "Please look."}, role="editor")
    assert noted.json() == {"changed": 3}
    change = listed["changes"][0]["id"]
    (note,) = (await call("GET", f"{SYNC}/staged-changes/{change}/notes")).json()["notes"]
    assert (note["author"], note["text"]) == ("the editor", "Please look.")
    approved = await call("POST", f"{SYNC}/approve-changes", json=these, role="approver")
    assert approved.json() == {"changed": 3, "to_push": 3, "accepted": 0, "put_back": []}
    asked = {"by": ["vendor", "status"], "store": "demo"}
    counts = (await call("GET", f"{SYNC}/change-counts", params=asked, role="viewer")).json()
    assert counts["total"] == 5
    assert [(one["vendor"], one["status"], one["changes"]) for one in counts["groups"]] == [
        ("Acme", "approved", 3),
        ("Acme", "pending", 2),
    ]
    shown = (await call("GET", f"{SYNC}/selections/{chosen['id']}")).json()
    assert shown["counts"] == {"approved": 3}


async def test_the_rule_says_in_what_time(call: Call, table: Any) -> None:
    path = f"{SYNC}/review-rule"
    assert (await call("PUT", path, json={"expire_after_days": 7})).json()["expire_after_days"] == 7
    assert (await call("PUT", path, json={"four_eyes": True})).json()["expire_after_days"] == 7
    assert (await call("PUT", path, json={"expire_after_days": 400})).json()["code"] == "REQ_001"
