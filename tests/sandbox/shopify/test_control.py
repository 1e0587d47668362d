"""The control surface."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from syncline.kernel import clock
from syncline.sandbox.shopify.state import Store

NOON = datetime.fromisoformat("2100-11-05T12:00:00Z")
PATH = "/admin/api/2026-10/graphql.json"


async def test_stats_count_requests_and_points(http: httpx.AsyncClient) -> None:
    for query in ("query A{shop{name}}", "query A{shop{name}}", "{shop{nme}}"):
        await http.post(PATH, json={"query": query})
    stats = (await http.get("/sandbox/stats")).json()
    assert (stats["requests"], stats["refused"], stats["throttled"]) == (3, 1, 0)
    assert stats["by_operation"] == {"A": 2, "": 1}
    assert stats["bucket"]["charged"] == 2.0
    await http.delete("/sandbox/stats")
    assert (await http.get("/sandbox/stats")).json()["requests"] == 0


async def test_faults_are_set_read_and_cleared(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/faults", json={"kind": "slow", "seconds": 1.5, "count": 2})
    await http.post("/sandbox/faults", json=[{"kind": "html"}])
    active = (await http.get("/sandbox/faults")).json()["active"]
    assert [(one["kind"], one["count"], one["seconds"]) for one in active] == [("slow", 2, 1.5), ("html", None, 0.0)]
    assert (await http.delete("/sandbox/faults")).json()["active"] == []


@pytest.mark.parametrize("body", [{"faults": "explode"}, {"kind": "explode"}, {"kind": "html", "colour": 1}])
async def test_a_wrong_fault_is_named(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await http.post("/sandbox/faults", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_the_plan_changes_with_a_full_bucket(http: httpx.AsyncClient) -> None:
    assert (await http.post("/sandbox/limits", json={"plan": "plus"})).json() == {"plan": "plus", "enabled": True}
    answer = (await http.post(PATH, json={"query": "{shop{name}}"})).json()
    status = answer["extensions"]["cost"]["throttleStatus"]
    assert (status["maximumAvailable"], status["restoreRate"]) == (20000.0, 1000.0)
    assert (await http.post("/sandbox/limits", json={"plan": "gold"})).status_code == 400


async def test_without_limits_nothing_is_throttled(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/limits", json={"enabled": False})
    query = "{products(first:250){nodes{id variants(first:100){nodes{id inventoryItem{id}}}}}}"
    bodies = [(await http.post(PATH, json={"query": query})).json() for _ in range(12)]
    assert all("errors" not in body for body in bodies)


EDITS = [
    ({"kind": "product", "id": 7000000000001, "set": {"title": "New"}}, "products", "title", "New"),
    ({"kind": "product", "handle": "linen-shirt", "set": {"tags": ["b,a"]}}, "products", "tags", ["a", "b"]),
    (
        {"kind": "variant", "id": "gid://shopify/ProductVariant/41000000000001", "set": {"price": "1.00"}},
        "variants",
        "price",
        "1.00",
    ),
    ({"kind": "item", "id": 43000000000001, "set": {"weight": "1.25"}}, "items", "weight", "1.25"),
    (
        {"kind": "level", "item": 43000000000001, "location": 61000000001, "set": {"available": 99}},
        "levels",
        "available",
        99,
    ),
]


@pytest.mark.parametrize(("edit", "kind", "field", "value"), EDITS)
async def test_a_merchants_edit_bumps_the_product_and_is_in_no_ledger(
    http: httpx.AsyncClient,
    shop: Store,
    monkeypatch: pytest.MonkeyPatch,
    edit: dict[str, Any],
    kind: str,
    field: str,
    value: Any,
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    answer = await http.post("/sandbox/edit", json=edit)
    assert answer.status_code == 200
    first = json.loads((await http.get(f"/sandbox/state/{kind}")).text.splitlines()[0])
    assert first[field] == value
    assert shop.products[7000000000001].updated_at == NOON
    assert (await http.get("/sandbox/ledger")).json() == {"entries": [], "total": 0}


async def test_a_merchant_makes_and_deletes_things(http: httpx.AsyncClient, shop: Store) -> None:
    made = {"action": "create", "kind": "product", "set": {"title": "Hat", "variants": [{"price": "3.00"}]}}
    number = (await http.post("/sandbox/edit", json=made)).json()["id"]
    assert shop.products[number].handle == "hat"
    await http.post("/sandbox/edit", json={"action": "delete", "kind": "variant", "id": 41000000000001})
    await http.post("/sandbox/edit", json={"action": "delete", "kind": "product", "id": number})
    assert (len(shop.products), len(shop.variants)) == (5, 5)
    assert [one.action for one in shop.events] == ["create", "destroy"]


@pytest.mark.parametrize(
    ("edit", "names"),
    [
        ({"kind": "product", "id": 1, "set": {}}, "There is no product 1."),
        ({"kind": "product", "id": 7000000000001, "set": {"colour": 1}}, "'colour'"),
        ({"kind": "product", "id": 7000000000001, "set": {"handle": "product-1"}}, "is taken"),
        ({"kind": "theme"}, "'theme'"),
    ],
)
async def test_an_impossible_edit_says_why(http: httpx.AsyncClient, edit: dict[str, Any], names: str) -> None:
    answer = await http.post("/sandbox/edit", json=edit)
    assert answer.status_code == 400
    assert names in answer.json()["error"]


async def test_the_state_is_told_line_by_line(http: httpx.AsyncClient) -> None:
    sizes = (await http.get("/sandbox/state")).json()
    assert (sizes["products"], sizes["variants"], sizes["levels"], sizes["locations"]) == (5, 6, 8, 2)
    lines = [json.loads(line) for line in (await http.get("/sandbox/state/levels")).text.splitlines()]
    assert len(lines) == 8
    assert lines[0] == {
        "id": 98000000001,
        "item_id": 43000000000001,
        "location_id": 61000000001,
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": "2026-01-05T08:00:00Z",
        "available": 10,
        "committed": 0,
        "incoming": 0,
    }
    assert (await http.get("/sandbox/state/pages")).status_code == 404


async def test_the_ledger_is_read_from_a_place_on(http: httpx.AsyncClient) -> None:
    tag = 'mutation{tagsAdd(id:"gid://shopify/Product/7000000000002",tags:["%s"]){userErrors{message}}}'
    for name in "abc":
        await http.post(PATH, json={"query": tag % name})
    found = (await http.get("/sandbox/ledger", params={"after": 2})).json()
    assert ([one["number"] for one in found["entries"]], found["total"]) == ([3], 3)
    assert found["entries"][0]["changes"] == [{"kind": "Product", "id": 7000000000002, "values": {"tagsAdd": ["c"]}}]
    assert (await http.get("/sandbox/ledger/counts")).json() == {"Product/7000000000002": 3}
