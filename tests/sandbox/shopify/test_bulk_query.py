"""The refusals' words are those of live stores (API 2026-04)."""

from __future__ import annotations

import pytest

from syncline.sandbox.shopify.bulk_query import BulkQueryRefusedError, read_bulk_query
from syncline.sandbox.shopify.schema import load_schema

VARIANTS = "variants { edges { node { id } } }"
WITHOUT_ID = (
    "The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of 'ID' "
    "return type. Connection fields without 'id': products."
)
BY_NODES = (
    "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: 'products { edges { "
    "node {'. Selecting via 'nodes' is not supported. Invalid connection fields: 'products'."
)
TOO_DEEP = (
    "{ collections { edges { node { id products { edges { node { id variants { edges { node { id "
    "metafields { edges { node { id } } } } } } } } } } } } }"
)
SIX = (
    "{ products { edges { node { id variants { edges { node { id } } } metafields { edges { node { id } } } "
    "collections { edges { node { id } } } media { edges { node { id } } } "
    "sellingPlanGroups { edges { node { id } } } } } } }"
)
ACCEPTED = {
    "two levels": "{ products { edges { node { id variants { edges { node { id } } } } } } }",
    "three levels": (
        "{ products { edges { node { id variants { edges { node { id metafields { edges { node { id } } } } } } } } } }"
    ),
    "below an object": (
        "{ productVariants { edges { node { id inventoryItem { id inventoryLevels { edges { node { id } } } } } } } }"
    ),
    "fragments": (
        "query { products { ...page } } fragment page on ProductConnection { edges { node { ...core } } } "
        "fragment core on Product { id variants { edges { node { id } } } }"
    ),
    "paging and cursors": "{ products(first: 5) { pageInfo { hasNextPage } edges { cursor node { id title } } } }",
    "two roots": "{ products { edges { node { id } } } locations { edges { node { id } } } }",
}
REFUSED = {
    "by nodes": ("{ products { nodes { id title } } }", [BY_NODES]),
    "top level node": (
        '{ node(id: "gid://shopify/Product/0") { id } }',
        [
            "Bulk queries cannot contain a top level `node` field.",
            "Bulk queries must contain at least one connection.",
        ],
    ),
    "no connection": ("{ shop { id } }", ["Bulk queries must contain at least one connection."]),
    "too deep": (
        TOO_DEEP,
        ["Bulk queries cannot contain connections with a nesting depth greater than 2."],
    ),
    "six connections": (
        SIX,
        ["Bulk queries cannot contain more than 5 connections."],
    ),
    "parent without id": (f"{{ products {{ edges {{ node {{ title {VARIANTS} }} }} }} }}", [WITHOUT_ID]),
    "parent with another name for id": (
        f"{{ products {{ edges {{ node {{ key: id {VARIANTS} }} }} }} }}",
        [WITHOUT_ID],
    ),
    "connection in a list": (
        "{ orders { edges { node { id fulfillments { events { edges { node { id } } } } } } } }",
        ["Queries that contain a connection field within a list field are not currently supported."],
    ),
    "mutation": (
        'mutation { tagsAdd(id: "gid://shopify/Product/1", tags: []) { node { id } } }',
        ["Invalid operation type. Only `query` operations are supported."],
    ),
    "empty": ("", ["Invalid bulk query: syntax error, unexpected end of file"]),
    "beside a connection": (
        "{ shop { name } products { edges { node { id } } } }",
        ["Bulk queries with the top level field `shop` are not served by the sandbox."],
    ),
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepts(text: str) -> None:
    assert read_bulk_query(load_schema("2026-10").graphql, text).operation.selection_set.selections


@pytest.mark.parametrize(("text", "messages"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses_with_shopify_s_words(text: str, messages: list[str]) -> None:
    with pytest.raises(BulkQueryRefusedError) as caught:
        read_bulk_query(load_schema("2026-10").graphql, text)
    assert caught.value.messages == messages


def test_a_field_the_schema_lacks_is_named() -> None:
    with pytest.raises(
        BulkQueryRefusedError, match="Invalid bulk query: Field 'colour' doesn't exist on type 'Product'"
    ):
        read_bulk_query(load_schema("2026-10").graphql, "{ products { edges { node { id colour } } } }")
