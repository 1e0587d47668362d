"""Bulk operations over orders, customers, collections, media and metafields, asked as a client asks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from syncline.sandbox.server import running
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.bulk_query import read_bulk_query
from syncline.sandbox.shopify.bulk_results import bulk_lines
from syncline.sandbox.shopify.edits import apply_edit
from syncline.sandbox.shopify.engine import Engine
from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.schema import load_schema
from syncline.sandbox.shopify.state import Store

RUN = "mutation($q: String!) { bulkOperationRunQuery(query: $q) { bulkOperation { id } userErrors { message code } } }"
POLL = "query($id: ID!) { bulkOperation(id: $id) { status errorCode objectCount rootObjectCount url partialDataUrl } }"
ORDERS = (
    "{ orders { edges { node { id name customer { id } totalPriceSet { shopMoney { amount } }"
    " refunds { id totalRefundedSet { shopMoney { amount } } } transactions { id kind parentTransaction { id } }"
    " fulfillments { id trackingInfo { number } location { id } }"
    " lineItems { edges { node { id quantity variant { id } } } } } } } }"
)
QUERIES = {
    "orders": (ORDERS, {"Order": "orders", "LineItem": "lines"}),
    "customers": (
        "{ customers { edges { node { id addresses { id } addressesV2 { edges { node { id city } } } } } } }",
        {"Customer": "customers", "MailingAddress": "addresses"},
    ),
    "collections": (
        "{ collections { edges { node { id ruleSet { rules { column } } products { edges { node { id } } } } } } }",
        {"Collection": "collections", "Product": "memberships"},
    ),
}
Line = dict[str, Any]


@pytest.fixture
def store() -> Store:
    store = Store()
    generate(store, 30, orders=120, customers=50, collections=9, media_per_product=1.5, metafields_per_product=2)
    return store


@pytest.fixture
async def client(store: Store, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"X-Shopify-Access-Token": SandboxOptions().token}
    async with (
        running(create_app(store, SandboxOptions(limits=False), tmp_path)) as url,
        httpx.AsyncClient(base_url=url, headers=headers) as client,
    ):
        yield client


async def ask(client: httpx.AsyncClient, query: str, version: str = "2026-10", **variables: Any) -> Any:
    body = {"query": query, "variables": variables}
    return (await client.post(f"/admin/api/{version}/graphql.json", json=body)).json()["data"]


async def run(client: httpx.AsyncClient, query: str) -> dict[str, Any]:
    started = (await ask(client, RUN, q=query))["bulkOperationRunQuery"]
    assert started["userErrors"] == []
    operation: dict[str, Any] = {"status": "CREATED"}
    while operation["status"] in {"CREATED", "RUNNING"}:
        operation = (await ask(client, POLL, id=started["bulkOperation"]["id"]))["bulkOperation"]
    return operation


async def lines(client: httpx.AsyncClient, url: str) -> list[Line]:
    return [msgspec.json.decode(line) for line in (await client.get(url)).content.splitlines()]


def kind(line: Line) -> str:
    return str(line["id"]).split("/")[3]


@pytest.mark.parametrize("name", QUERIES)
async def test_a_line_for_everything_there_is(client: httpx.AsyncClient, store: Store, name: str) -> None:
    query, tables = QUERIES[name]
    operation = await run(client, query)
    found = Counter(map(kind, await lines(client, operation["url"])))
    sizes = (await client.get("/sandbox/state")).json()
    assert found == {node: sizes[table] for node, table in tables.items()}
    assert int(operation["objectCount"]) == sum(found.values())


async def test_an_orders_lists_are_in_its_own_line(client: httpx.AsyncClient, store: Store) -> None:
    found = {line["id"]: line for line in await lines(client, (await run(client, ORDERS))["url"])}
    order = next(one for one in store.sales.orders.values() if one.refunds and one.fulfillments)
    line = found[f"gid://shopify/Order/{order.id}"]
    assert [one["id"] for one in line["refunds"]] == [f"gid://shopify/Refund/{one.id}" for one in order.refunds]
    assert line["transactions"][-1]["parentTransaction"] == {
        "id": f"gid://shopify/OrderTransaction/{order.transactions[-1].parent_id}"
    }
    assert len(line["fulfillments"]) == len(order.fulfillments)


async def test_media_of_every_kind_and_metafields_two_deep(client: httpx.AsyncClient, store: Store) -> None:
    query = (
        "{ products { edges { node { id media { edges { node { id mediaContentType"
        " ... on MediaImage { image { url } } ... on Video { sources { url } } } } }"
        " metafields { edges { node { id compareDigest } } }"
        " variants { edges { node { id metafields { edges { node { id } } } } } } } } } }"
    )
    found = await lines(client, (await run(client, query))["url"])
    counts = Counter(map(kind, found))
    assert {"MediaImage", "Video", "ExternalVideo", "Model3d"} <= counts.keys()
    assert sum(counts[name] for name in ("MediaImage", "Video", "ExternalVideo", "Model3d")) == sum(
        1 for _ in store.media.shown()
    )
    products_own = [one for one in store.metafields.by_id.values() if one.owner_type.startswith("Product")]
    assert counts["Metafield"] == len(products_own)
    by_id = {f"gid://shopify/Metafield/{one.id}": one for one in products_own}
    told = [line for line in found if kind(line) == "Metafield"]
    assert all(
        line["__parentId"] == f"gid://shopify/{by_id[line['id']].owner_type}/{by_id[line['id']].owner_id}"
        for line in told
    )


async def test_connections_inside_lists_are_refused(client: httpx.AsyncClient) -> None:
    query = "{ orders { edges { node { id refunds { id refundLineItems { edges { node { id } } } } } } } }"
    refused = (await ask(client, RUN, q=query))["bulkOperationRunQuery"]["userErrors"]
    assert "within a list field" in refused[0]["message"]


@pytest.mark.parametrize("field", ["created_at", "updated_at", "id"])
async def test_slices_are_the_whole(client: httpx.AsyncClient, store: Store, field: str) -> None:
    orders = sorted(store.sales.orders.values(), key=lambda order: getattr(order, field))
    cut = getattr(orders[60], field)
    words = cut if isinstance(cut, int) else f"'{cut.isoformat()}'"
    halves = []
    for sign in ("<", ">="):
        query = f'{{ orders(query: "{field}:{sign}{words}") {{ edges {{ node {{ id }} }} }} }}'
        halves.append([line["id"] for line in await lines(client, (await run(client, query))["url"])])
    assert len(halves[0]) == 60
    assert sorted(halves[0] + halves[1]) == sorted(f"gid://shopify/Order/{one.id}" for one in orders)


async def test_an_operation_that_is_too_large_times_out_with_what_it_had(client: httpx.AsyncClient) -> None:
    await client.post("/sandbox/faults", json={"faults": "bulk_too_large=50"})
    operation = await run(client, "{ orders { edges { node { id } } } }")
    assert (operation["status"], operation["errorCode"], operation["url"]) == ("FAILED", "TIMEOUT", None)
    assert (operation["objectCount"], len(await lines(client, operation["partialDataUrl"]))) == ("50", 50)
    small = await run(client, "{ customers { edges { node { id } } } }")
    assert (small["status"], small["objectCount"]) == ("COMPLETED", "50")


@pytest.mark.parametrize(
    ("version", "at_once", "code"), [("2026-01", 5, "LIMIT_REACHED"), ("2025-10", 1, "OPERATION_IN_PROGRESS")]
)
async def test_so_many_run_at_once(client: httpx.AsyncClient, version: str, at_once: int, code: str) -> None:
    await client.post("/sandbox/faults", json={"faults": "bulk_stuck"})
    query = "{ orders { edges { node { id } } } }"
    answers = [(await ask(client, RUN, version, q=query))["bulkOperationRunQuery"] for _ in range(at_once + 1)]
    assert [one["userErrors"] for one in answers[:-1]] == [[]] * at_once
    assert answers[-1]["userErrors"][0]["code"] == code


@pytest.mark.parametrize("name", QUERIES)
async def test_what_is_deleted_while_it_runs_is_left_out(store: Store, tmp_path: Path, name: str) -> None:
    """Half of everything goes after the first batch of lines; nothing breaks and no line of it comes later."""
    engine, schema = Engine(store, SandboxOptions(), tmp_path), load_schema("2026-10")
    tables: dict[str, dict[int, Any]] = {
        "orders": store.sales.orders,
        "customers": store.sales.customers,
        "collections": store.collections.by_id,
    }
    query = read_bulk_query(schema.graphql, QUERIES[name][0])
    taken = bulk_lines(store, engine._compile_bulk(schema, query).line, grouped=False)
    first = [json.loads(next(taken).text) for _ in range(5)]
    for number in list(tables[name])[::2]:
        apply_edit(store, {"action": "delete", "kind": name.rstrip("s"), "id": number})
    for number in list(store.products)[::2]:
        apply_edit(store, {"action": "delete", "kind": "product", "id": number})
    rest = [json.loads(line.text) for line in taken]
    roots = [line["id"] for line in rest if "__parentId" not in line]
    assert {int(one.rsplit("/", 1)[-1]) for one in roots} <= set(tables[name])
    assert len(first) == 5


async def test_media_of_which_nothing_is_asked_leave_bare_lines(client: httpx.AsyncClient, store: Store) -> None:
    query = (
        "{ products(sortKey: UPDATED_AT) { edges { node { id"
        " media { edges { node { ... on MediaImage { alt image { url } } } } }"
        " images { edges { node { id src } } } } } } }"
    )
    found = await lines(client, (await run(client, query))["url"])
    below = [line for line in found if "__parentId" in line]
    bare = [line for line in below if set(line) == {"__parentId"}]
    kinds = Counter(store.media.by_id[one["media_id"]].content_type for one in store.media.shown())
    assert len(bare) == kinds.total() - kinds["IMAGE"]
    assert len([line for line in below if "alt" in line]) == kinds["IMAGE"]
    assert all(kind(line) == "ProductImage" for line in below if "src" in line)


async def test_what_may_not_be_null_and_is_denied_fails_the_operation(store: Store, tmp_path: Path) -> None:
    options = SandboxOptions(scopes=frozenset({"read_products"}))
    query = "{ collections { edges { node { id publications { edges { node { publishDate } } } } } } }"
    async with (
        running(create_app(store, options, tmp_path)) as url,
        httpx.AsyncClient(base_url=url, headers={"X-Shopify-Access-Token": options.token}) as denied,
    ):
        operation = await run(denied, query)
    assert (operation["status"], operation["errorCode"]) == ("FAILED", "ACCESS_DENIED")
