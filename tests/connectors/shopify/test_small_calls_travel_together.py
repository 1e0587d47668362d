"""Calls made at once share requests; each still gets its own answer, its own refusal, and its own doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from graphql import parse, validate
from hypothesis import given
from hypothesis import strategies as st

from syncline.connectors.shopify import actions, ids, queries
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_QUERY_COST, estimate
from syncline.connectors.shopify.errors import MissingScope
from syncline.connectors.shopify.packing import MAX_ALIASES, packing
from syncline.connectors.shopify.results import WriteResult
from syncline.connectors.shopify.templates import Template, combined, template_of
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.sandbox.shopify.schema import load_schema

UPDATE = queries.update_product(with_seo=False)
DOCUMENTS = (UPDATE, queries.update_product(with_seo=True), queries.update_variants(with_objects=True))
READS = (queries.READ_PRODUCTS, queries.READ_VARIANTS, queries.READ_LEVELS)


def known(query: str) -> Template:
    template = template_of(query)
    assert template is not None
    return template


@given(st.lists(st.sampled_from(DOCUMENTS), min_size=1, max_size=12))
def test_combined_mutations_fit_the_schema_and_cost_what_they_cost_alone(chosen: list[str]) -> None:
    text, _ = combined([(known(one), {}) for one in chosen])
    assert validate(load_schema("2026-10").graphql, parse(text)) == []
    assert estimate(text) == sum(estimate(one) for one in chosen)


@given(st.lists(st.tuples(st.sampled_from(READS), st.integers(1, 30)), min_size=1, max_size=6))
def test_combined_reads_fit_the_schema_and_keep_their_variables(chosen: list[tuple[str, int]]) -> None:
    text, variables = combined([(known(one), {"ids": ["x"] * count, "location": "y"}) for one, count in chosen])
    assert validate(load_schema("2026-10").graphql, parse(text)) == []
    assert estimate(text, variables) == sum(estimate(one, {"ids": ["x"] * count}) for one, count in chosen)


def test_document_of_several_roots_travels_alone() -> None:
    assert template_of(queries.STORE) is None


async def rename(client: ShopifyClient, numbers: Sequence[int], vendor: str = "Together") -> list[Any]:
    return await asyncio.gather(
        *(actions.update_product(client, number, {"vendor": vendor}) for number in numbers), return_exceptions=True
    )


def requests(sandbox: Any) -> int:
    return int(sandbox.world.counters.requests)


async def test_writes_of_many_products_are_one_request(sandbox: Any) -> None:
    numbers = sorted(sandbox.store.products)[:30]
    async with sandbox.client() as client:
        await client.execute(queries.PROBE, idempotent=True)
        before = requests(sandbox)
        async with packing(client) as pack:
            results: list[WriteResult] = await rename(client, numbers)
    assert requests(sandbox) - before == 1
    assert [(result.key, result.ok, result.values["vendor"]) for result in results] == [
        (number, True, "Together") for number in numbers
    ]
    assert (pack.spent.calls, pack.spent.requests, pack.spent.actual) == (30, 1, 300)


async def test_each_call_gets_its_own_refusal(sandbox: Any) -> None:
    good, other = sorted(sandbox.store.products)[:2]
    async with sandbox.client() as client, packing(client):
        results = await rename(client, [good, 1, other])
    assert [result.ok for result in results] == [True, False, True]
    assert results[1].errors[0].message == "Product does not exist"


async def test_no_request_is_dearer_or_longer_than_one_may_be(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(products=230)
    async with sandbox.client() as client, packing(client) as pack:
        results = await rename(client, sorted(sandbox.store.products))
    assert all(result.ok for result in results)
    assert pack.spent.requests == 3
    assert MAX_ALIASES * 10 <= MAX_QUERY_COST
    assert sandbox.world.counters.refused == 0


async def test_request_is_no_larger_than_what_the_bucket_holds(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(products=100, plan="standard")
    async with sandbox.client() as client:
        await client.execute(queries.PROBE, idempotent=True)
        sandbox.world.bucket.available = 500.0
        await client.execute(queries.PROBE, idempotent=True)
        async with packing(client, floor=50) as pack:
            await rename(client, sorted(sandbox.store.products)[:45])
    assert pack.spent.requests == 1
    assert sandbox.world.bucket.throttled == 0


async def test_reads_of_several_kinds_are_one_request(sandbox: Any) -> None:
    product = next(iter(sandbox.store.products.values()))
    async with sandbox.client() as client:
        await client.execute(queries.PROBE, idempotent=True)
        before = requests(sandbox)
        async with packing(client):
            products, variants = await asyncio.gather(
                actions.read_products(client, [product.id]), actions.read_variants(client, product.variant_ids)
            )
    assert requests(sandbox) - before == 1
    assert [node.title for node in products.values() if node] == [product.title]
    assert set(variants) == set(product.variant_ids)


async def test_lost_answer_leaves_every_write_of_the_request_uncertain(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(faults="http_502=1@UpdateProduct")
    numbers = sorted(sandbox.store.products)[:5]
    async with sandbox.client() as client, packing(client):
        results = await rename(client, numbers)
    assert {type(result) for result in results} == {OutcomeUnknown}


async def test_keyed_stock_is_repeated_while_other_writes_are_not(open_sandbox: Any) -> None:
    """They never share a request, so that the doubt about the one is not the doubt about the other."""
    sandbox = await open_sandbox(faults="http_502=1@SetInventory")
    item, location = next(iter(sandbox.store.levels))
    product = min(sandbox.store.products)
    async with sandbox.client() as client, packing(client):
        renamed, stocked, more = await asyncio.gather(
            actions.update_product(client, product, {"vendor": "Sure"}),
            actions.set_inventory(client, [(item, location, 41, None)], idempotency_key="one"),
            actions.set_inventory(client, [(item, location, 41, None)], idempotency_key="two"),
        )
    assert (renamed.ok, stocked[0].ok, more[0].ok) == (True, True, True)
    assert sandbox.store.levels[item, location].available == 41


async def test_permission_that_one_call_lacks_does_not_hinder_the_others(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(scopes=frozenset({"read_products", "write_products", "read_inventory"}))
    item, location = next(iter(sandbox.store.levels))
    level = ids.gid(ids.INVENTORY_ITEM, item)
    async with sandbox.client(api_version="2025-10") as client, packing(client):
        renamed, stocked = await asyncio.gather(
            actions.update_product(client, min(sandbox.store.products), {"vendor": "Allowed"}),
            actions.set_inventory(client, [(item, location, 3, None)], idempotency_key=level),
            return_exceptions=True,
        )
    assert getattr(renamed, "ok", renamed) is True
    assert isinstance(stocked, MissingScope)


async def test_whoever_is_outside_the_block_is_not_held(sandbox: Any) -> None:
    async with sandbox.client() as client, sandbox.client() as other, packing(client) as pack:
        answer = await other.execute(queries.PROBE, idempotent=True)
    assert answer.data["shop"]["id"]
    assert pack.spent.requests == 0


async def test_error_that_is_not_the_vendors_reaches_the_caller(sandbox: Any) -> None:
    async with sandbox.client() as client, packing(client):
        with pytest.raises(ValueError, match="cannot write colour"):
            await actions.update_product(client, 1, {"colour": "red"})
