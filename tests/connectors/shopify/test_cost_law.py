from typing import Any

import pytest

from syncline.connectors.shopify import actions, queries
from syncline.connectors.shopify.cost import MAX_QUERY_COST, connection_cost, connection_size, estimate
from syncline.connectors.shopify.sources import SOURCES, count_query, page_cost, page_query
from syncline.connectors.shopify.testing import RecordedStore, answer, open_client, product
from syncline.runtime.connect.testing import ScriptedVendor

COUNTS = str(count_query("products"))


@pytest.mark.parametrize(
    ("n", "size"), [(0, 1), (1, 1), (3, 2), (5, 3), (10, 4), (25, 6), (50, 7), (100, 9), (200, 10), (250, 11)]
)
def test_size_of_a_connection_grows_with_the_logarithm(n: int, size: int) -> None:
    assert connection_size(n) == size


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        # Printed in Shopify's documents or read from live answers.
        ("{ shop { id } }", 1),
        ("{ products(first: 10) { nodes { id } } }", 6),
        ("{ products(first: 10) { edges { cursor node { id } } pageInfo { hasNextPage } } }", 6),
        ("mutation M { productUpdate(product: {}) { product { id title } userErrors { field message } } }", 10),
        ("mutation M { a(input: {}) { product { id seo { title } } userErrors { message } } }", 11),
        # Several root fields add up; of an interface only the dearest branch counts.
        ("{ shop { id } a: node(id: 1) { ... on X { y { z } } ... on Z { a } } }", 3),
    ],
)
def test_cost_of_a_query(query: str, cost: int) -> None:
    assert estimate(query) == cost


def test_a_page_of_products_fits_into_one_query() -> None:
    variants = connection_cost(100, 5)
    assert page_cost("products") == connection_cost(250, 4 + variants) == 563


@pytest.mark.parametrize("stream", SOURCES)
def test_a_full_page_of_every_stream_is_allowed(stream: str) -> None:
    assert 0 < page_cost(stream) < MAX_QUERY_COST


def test_ids_are_counted_one_by_one_until_shopify_says_otherwise() -> None:
    assert estimate(queries.READ_PRODUCTS, {"ids": ["a"]}) == 4
    assert estimate(queries.READ_PRODUCTS, {"ids": ["a"] * 250}) == 1000


@pytest.mark.parametrize("version", ["2026-10", "2025-10"])
async def test_sandbox_asks_for_what_the_law_says(version: str, sandbox: Any) -> None:
    asked: list[tuple[str, dict[str, object]]] = [
        (queries.STORE, {}),
        (COUNTS, {}),
        (page_query("products"), {"first": 250, "after": None, "query": None}),
        (page_query("products", keys_only=True), {"first": 7, "after": None, "query": None}),
        (queries.LOCATIONS_PAGE, {"first": 250, "after": None}),
        (queries.LEVELS_OF_LOCATION, {"id": "gid://shopify/Location/1", "first": 250}),
        (queries.DELETIONS_PAGE, {"first": 250, "query": "action:destroy"}),
    ]
    async with sandbox.client(api_version=version) as client:
        for query, variables in asked:
            told = (await client.execute(query, variables, idempotent=True)).cost.requested
            assert told == estimate(query, variables), query


async def test_cost_told_by_shopify_replaces_the_estimate() -> None:
    store = RecordedStore()
    vendor = ScriptedVendor(store)
    vendor.then(lambda *_: answer({"productsCount": None, "productVariantsCount": None}, cost=77))
    async with open_client(vendor.transport) as client:
        assert client.cost_of(COUNTS, {}) == 2
        await client.execute(COUNTS, idempotent=True)
        assert client.cost_of(COUNTS, {}) == 77


@pytest.mark.parametrize(("told", "at_250", "at_1"), [(80, 1000, 4), (4, 4, 4)])
async def test_cost_of_a_list_of_ids_is_learned_from_a_small_one(told: float, at_250: float, at_1: float) -> None:
    def answered(*_: object) -> object:
        return answer({"nodes": [{**product(1, 0), "variants": None}] * 20}, cost=told)

    vendor = ScriptedVendor(RecordedStore()).then(answered)  # type: ignore[arg-type]
    async with open_client(vendor.transport) as client:
        client.limiter.bucket.known = True
        await actions.read_products(client, range(20))
        assert client.cost_of(queries.READ_PRODUCTS, {"ids": ["x"] * 250}) == at_250
        assert client.cost_of(queries.READ_PRODUCTS, {"ids": ["x"]}) == at_1
