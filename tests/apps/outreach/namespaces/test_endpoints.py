"""`/api/namespaces`: what it answers and every error it declares."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from syncline.apps.outreach.namespaces.endpoints import router
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId

BASE = "/api/namespaces"
ENDPOINTS: dict[str, tuple[Any, str]] = {
    f"GET {BASE}": (None, "outreach:read"),
    f"POST {BASE}": ({"name": "north"}, "outreach:manage"),
    f"POST {BASE}/test-match": ({"campaign": "North"}, "outreach:read"),
    f"GET {BASE}/{{name}}": (None, "outreach:read"),
    f"PUT {BASE}/{{name}}": ({"is_active": True}, "outreach:manage"),
    f"GET {BASE}/{{name}}/stats": (None, "outreach:read"),
}
Call = Callable[..., Awaitable[httpx.Response]]


async def make(call: Call, name: str, *keywords: str, **more: Any) -> httpx.Response:
    return await call("POST", BASE, json={"name": name, "keywords": list(keywords)}, **more)


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_nobody_is_401_and_each_role_may_what_it_holds(call: Call, address: str) -> None:
    body, permission = ENDPOINTS[address]
    method, path = address.replace("{name}", "north").split(" ")
    nobody = await call(method, path, role=None, json=body)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "API_001")
    answers = {role: await call(method, path, role=role, json=body) for role in PERMISSIONS}
    refused = {role for role, answer in answers.items() if answer.status_code == 403}
    assert refused == {role for role in PERMISSIONS if not Actor(TenantId(new_id()), "", role).may(permission)}


async def test_made_listed_changed_and_matched(call: Call) -> None:
    made = await make(call, "north", " Nord ", "north")
    assert (made.status_code, made.json()["namespace"]["keywords"]) == (201, ["Nord", "north"])
    await make(call, "south", "süd")
    changed = await call("PUT", f"{BASE}/north", json={"keywords": ["polar"], "description": "The cold half"})
    assert changed.json()["namespace"]["keywords"] == ["polar"]
    assert (await call("GET", f"{BASE}/north")).json()["namespace"] == changed.json()["namespace"]
    assert [one["name"] for one in (await call("GET", BASE)).json()["namespaces"]] == ["north", "south"]
    body = {"campaign": "POLAR bears", "campaigns": ["Nord", "Im Süden"]}
    matched = (await call("POST", f"{BASE}/test-match", json=body)).json()["matches"]
    assert [(one["namespace"], one["keyword"]) for one in matched] == [
        ("north", "polar"),
        ("default", None),
        ("south", "süd"),
    ]


async def test_one_that_is_off_matches_nothing(call: Call) -> None:
    await make(call, "north", "nord")
    await call("PUT", f"{BASE}/north", json={"is_active": False})
    (matched,) = (await call("POST", f"{BASE}/test-match", json={"campaign": "Nord"})).json()["matches"]
    assert matched["namespace"] == "default"


async def test_figures_are_of_its_own_events(call: Call) -> None:
    for email, namespace in (("a@example.com", "north"), ("b@example.com", "north"), ("a@example.com", "south")):
        sent = {"platform": "lemlist", "campaignId": "c", "eventType": "email_sent", "email": email}
        await call("POST", "/api/event-keys/generate", json={**sent, "namespace": namespace})
    found = (await call("GET", f"{BASE}/north/stats")).json()
    assert (found["events"], found["people"], found["campaigns"]) == (2, 2, 1)
    assert (found["by_platform"], found["by_type"]) == ({"lemlist": 2}, {"email_sent": 2})


async def test_the_same_name_twice_is_409(call: Call) -> None:
    await make(call, "north")
    again = await make(call, "north")
    assert (again.status_code, again.json()["code"]) == (409, "SPACE_002")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "North"}, "SPACE_003"),
        ({"name": "a'; DROP TABLE x; --"}, "SPACE_003"),
        ({"name": "x" * 10_000}, "SPACE_003"),
        ({"name": "north", "keywords": [""]}, "SPACE_003"),
        ({"name": "north", "description": "x" * 501}, "SPACE_003"),
        ({"name": "north", "description": "a\0"}, "SPACE_003"),
        ({"name": 7}, "REQ_001"),
        ({"nom": "north"}, "REQ_001"),
    ],
)
async def test_what_is_refused(call: Call, body: dict[str, Any], code: str) -> None:
    answer = await call("POST", BASE, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (await call("GET", BASE)).json()["namespaces"] == []


@pytest.mark.parametrize(("method", "place"), [("GET", ""), ("PUT", ""), ("GET", "/stats")])
async def test_one_that_is_not_there_is_404_and_so_is_another_tenants(call: Call, method: str, place: str) -> None:
    await make(call, "north", tenant="other")
    for name in ("north", "x" * 2_000):
        answer = await call(method, f"{BASE}/{name}{place}", json={"is_active": True})
        assert (answer.status_code, answer.json()["code"]) == (404, "SPACE_001")
    kept = (await call("GET", f"{BASE}/north", tenant="other")).json()["namespace"]
    assert kept["is_active"] is True


@pytest.mark.parametrize("body", [{}, {"campaigns": []}, {"campaign": "x" * 501}, {"campaigns": ["x"] * 1_001}])
async def test_a_match_of_nothing_or_too_much_is_400(call: Call, body: dict[str, Any]) -> None:
    answer = await call("POST", f"{BASE}/test-match", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "REQ_001")


async def test_the_default_namespace_is_counted_before_anybody_made_it(call: Call) -> None:
    found = await call("GET", f"{BASE}/default/stats")
    assert (found.status_code, found.json()["events"]) == (200, 0)
