"""That what is served is in the schema, and that what is always null may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, get_named_type

from syncline.sandbox.shopify import resolvers_unused
from syncline.sandbox.shopify.connections import empty
from syncline.sandbox.shopify.edits import apply_edit
from syncline.sandbox.shopify.schema import load_schema
from syncline.sandbox.shopify.served import SERVED
from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
OLD, NEW = load_schema("2025-10").graphql, load_schema("2026-10").graphql


def field_type(schema: Any, owner: str, name: str) -> Any:
    kind = schema.type_map.get(owner)
    known = kind.fields.get(name) if isinstance(kind, GraphQLObjectType) else None
    return known.type if known else None


def test_every_served_field_is_in_the_oldest_or_the_newest_schema() -> None:
    unknown = [
        f"{owner}.{name}"
        for owner, fields in SERVED.items()
        for name in fields
        if field_type(OLD, owner, name) is None and field_type(NEW, owner, name) is None
    ]
    assert unknown == []


@pytest.mark.parametrize("schema", [OLD, NEW], ids=["2025-10", "2026-10"])
def test_what_is_always_null_may_be(schema: Any) -> None:
    always = {
        f"{owner}.{name}": field_type(schema, owner, name)
        for owner, fields in resolvers_unused.TYPES.items()
        for name, resolver in fields.items()
        if resolver is resolvers_unused.null
    }
    assert len(always) > 50
    assert [name for name, kind in always.items() if isinstance(kind, GraphQLNonNull)] == []


@pytest.mark.parametrize("schema", [OLD, NEW], ids=["2025-10", "2026-10"])
def test_what_is_always_empty_is_a_connection(schema: Any) -> None:
    always = [
        field_type(schema, owner, name)
        for owner, fields in resolvers_unused.TYPES.items()
        for name, resolver in fields.items()
        if resolver is empty
    ]
    assert all(get_named_type(kind).name.endswith("Connection") for kind in always)


def test_a_client_may_ask_for_what_the_store_does_not_use(ask: Ask) -> None:
    query = (
        "{ products(first: 1) { nodes { category { id name } feedback { summary } requiresSellingPlan"
        " variants(first: 1) { nodes { presentmentPrices(first: 1) { edges { node { price { amount } } }"
        " nodes { price { amount } } more: pageInfo { hasNextPage endCursor } } } } } } }"
    )
    assert ask(query)["data"]["products"]["nodes"] == [
        {
            "category": None,
            "feedback": None,
            "requiresSellingPlan": False,
            "variants": {
                "nodes": [
                    {"presentmentPrices": {"edges": [], "nodes": [], "more": {"hasNextPage": False, "endCursor": None}}}
                ]
            },
        }
    ]


def test_taxes_shipping_and_discounts_of_an_order(ask: Ask, shop: Store) -> None:
    lines = [{"variant": 41000000000001, "quantity": 1}, {"title": "Wrap", "unit_price_minor": 1000}]
    fields = {"lines": lines, "tax_minor": 540, "shipping_minor": 500, "code_discount_minor": 300}
    apply_edit(shop, {"action": "create", "kind": "order", "set": fields | {"discount_codes": ["TEN"]}})
    query = (
        "{ orders(first: 1) { nodes { taxLines { title rate priceSet { shopMoney { amount } } }"
        " shippingLine { title originalPriceSet { shopMoney { amount } } }"
        " discountApplications(first: 5) { nodes { __typename index ... on DiscountCodeApplication { code }"
        " value { ... on PricingPercentageValue { percentage } } } }"
        " lineItems(first: 5) { nodes { taxLines { priceSet { shopMoney { amount } } } } } } } }"
    )
    assert ask(query)["data"]["orders"]["nodes"] == [
        {
            "taxLines": [{"title": "Tax", "rate": 0.2, "priceSet": {"shopMoney": {"amount": "5.4"}}}],
            "shippingLine": {"title": "Standard", "originalPriceSet": {"shopMoney": {"amount": "5.0"}}},
            "discountApplications": {
                "nodes": [
                    {
                        "__typename": "DiscountCodeApplication",
                        "index": 0,
                        "code": "TEN",
                        "value": {"percentage": 10.0},
                    }
                ]
            },
            "lineItems": {
                "nodes": [
                    {"taxLines": [{"priceSet": {"shopMoney": {"amount": "3.6"}}}]},
                    {"taxLines": [{"priceSet": {"shopMoney": {"amount": "1.8"}}}]},
                ]
            },
        }
    ]


def test_items_of_one_sku_know_how_many_others_there_are(ask: Ask, shop: Store) -> None:
    for number in (41000000000002, 41000000000003):
        apply_edit(shop, {"kind": "variant", "id": number, "set": {"sku": "SHIRT-S"}})
    counts = [
        one["duplicateSkuCount"]
        for one in ask("{ inventoryItems(first: 9) { nodes { duplicateSkuCount } } }")["data"]["inventoryItems"][
            "nodes"
        ]
    ]
    assert counts == [2, 2, 2, 0, 0, 0]
