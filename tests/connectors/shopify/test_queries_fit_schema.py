"""Every document the connector sends, held against Shopify's published schema of both versions."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from graphql import parse, validate

from syncline.connectors.shopify import comparing, content_queries, ids, products, queries, sources
from syncline.sandbox.shopify.schema import load_schema

SINCE = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
# What 2025-10 does not have, and what stands in for it there.
NEWER = {"BULK_RECENT", "set_inventory"}
OLDER = {"BULK_CURRENT", "set_inventory of 2025-10"}
OWNERS = {"variants": "ProductVariant", "refunds": "Refund"}
BULK = {name for name, source in sources.SOURCES.items() if not source.is_paged_only}


def _connections(owner: str, children: tuple[sources.Child, ...]) -> Iterator[tuple[str, sources.Child]]:
    for child in children:
        if child.lifts_as is None:
            yield owner, child
        yield from _connections(OWNERS[child.field], child.children) if child.children else ()


DOCUMENTS = {
    name: text
    for name, text in {**vars(queries), **vars(content_queries), **vars(products)}.items()
    if isinstance(text, str) and text.startswith(("query ", "mutation "))
} | {
    "compare levels": comparing.READ_AVAILABLE,
    "compare products": comparing.fields_query(ids.PRODUCT, frozenset({("vendor",), ("seo", "title")})),
    "compare variants": comparing.fields_query(
        ids.VARIANT,
        frozenset(
            {("price",), ("inventoryItem", "unitCost", "amount"), ("inventoryItem", "measurement", "weight", "unit")}
        ),
    ),
    "compare collections": comparing.fields_query(ids.COLLECTION, frozenset({("sortOrder",), ("seo", "title")})),
    "update_product": queries.update_product(with_seo=False),
    "update_product with seo": queries.update_product(with_seo=True),
    "update_variants": queries.update_variants(with_objects=False),
    "update_variants with objects": queries.update_variants(with_objects=True),
    "set_inventory": queries.set_inventory(2, keyed=True),
    "set_inventory of 2025-10": queries.set_inventory(2, keyed=False),
    **{
        f"{stream} {name}": text
        for stream in sources.SOURCES
        for name, text in {
            "page": sources.page_query(stream),
            "keys": sources.page_query(stream, keys_only=True),
            "families": sources.families_query(stream),
            "counts": sources.count_query(stream),
            "slice": sources.slice_query(stream),
        }.items()
        if text is not None
    },
    **{f"{stream} bulk": sources.bulk_query(stream, since=None) for stream in BULK},
    **{f"{stream} bulk since": sources.bulk_query(stream, since=SINCE) for stream in BULK},
    **{
        f"rest of {owner} {child.field}": sources.rest_query(owner, child)
        for stream in sources.SOURCES.values()
        for owner, child in _connections(stream.type_name, stream.children)
    },
}


def problems(version: str, text: str) -> list[str]:
    return [error.message for error in validate(load_schema(version).graphql, parse(text))]


@pytest.mark.parametrize("name", sorted(DOCUMENTS.keys() - OLDER))
def test_document_fits_2026_10(name: str) -> None:
    assert problems("2026-10", DOCUMENTS[name]) == []


@pytest.mark.parametrize("name", sorted(DOCUMENTS.keys() - NEWER))
def test_document_fits_2025_10(name: str) -> None:
    assert problems("2025-10", DOCUMENTS[name]) == []


def test_no_document_is_left_out() -> None:
    assert {"orders page", "STORE", "BULK_START", "READ_LEVELS"} <= DOCUMENTS.keys()
    assert len(DOCUMENTS) >= 90
    assert sources.SOURCES.keys() - {"refund_lines"} == BULK


def test_time_filters_are_quoted_and_in_utc() -> None:
    assert sources.updated_since(SINCE) == "updated_at:>='2026-11-22T10:00:00Z'"
