"""Reading single records again, before a write and after one whose outcome is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec

from syncline.connectors.shopify import ids, queries
from syncline.connectors.shopify.catalog_nodes import InventoryLevelNode, ProductNode, VariantNode
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_INPUT, MAX_QUERY_COST, estimate
from syncline.connectors.shopify.pages import family_lines
from syncline.connectors.shopify.sources import SOURCES, families_query

T = TypeVar("T")

_FIRST: Final = 20


async def read_families(client: ShopifyClient, stream: str, numbers: Iterable[int]) -> dict[int, list[bytes]]:
    """Records of a stream by the id of its root's record, each as its line and those of all that hangs on it; no line
    for one that no longer exists."""
    source = SOURCES[stream]
    wanted = list(dict.fromkeys(numbers))
    query = families_query(stream)
    size = max(1, min(MAX_INPUT, MAX_QUERY_COST // estimate(query, {"ids": [""]})))

    async def read(part: Sequence[int]) -> dict[int, list[bytes]]:
        asked = {"ids": [ids.gid(source.type_name, number) for number in part]}
        nodes = (await client.execute(query, asked, idempotent=True)).data["nodes"]
        lines = await asyncio.gather(*(family_lines(client, node, source.children) for node in nodes if node))
        found = {ids.number_of(node["id"]): family for node, family in zip(filter(None, nodes), lines, strict=True)}
        return {number: found.get(number, []) for number in part}

    return {number: lines for part in _chunks(wanted, size) for number, lines in (await read(part)).items()}


async def read_products(client: ShopifyClient, numbers: Iterable[int]) -> dict[int, ProductNode | None]:
    """Products by id; None for one that no longer exists."""
    return await _read(client, queries.READ_PRODUCTS, ids.PRODUCT, numbers, _product)


async def read_variants(client: ShopifyClient, numbers: Iterable[int]) -> dict[int, VariantNode | None]:
    """Variants by id; None for one that no longer exists."""
    return await _read(client, queries.READ_VARIANTS, ids.VARIANT, numbers, _variant)


async def read_levels(
    client: ShopifyClient, pairs: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], InventoryLevelNode | None]:
    """Levels by (item, location); None where the item is not stocked or no longer exists."""
    by_location: dict[int, list[int]] = {}
    for item, location in dict.fromkeys(pairs):
        by_location.setdefault(location, []).append(item)
    found = await asyncio.gather(*(_levels_at(client, place, items) for place, items in by_location.items()))
    return {key: level for levels in found for key, level in levels.items()}


async def _levels_at(
    client: ShopifyClient, location: int, items: list[int]
) -> dict[tuple[int, int], InventoryLevelNode | None]:
    place = ids.gid(ids.LOCATION, location)
    levels = await _read(
        client,
        queries.READ_LEVELS,
        ids.INVENTORY_ITEM,
        items,
        lambda node: _level(node, place),
        location=place,
    )
    return {(item, location): level for item, level in levels.items()}


async def _read(
    client: ShopifyClient,
    query: str,
    type_name: str,
    numbers: Iterable[int],
    make: Callable[[dict[str, Any]], T | None],
    **variables: str,
) -> dict[int, T | None]:
    """As many ids a call as fit into 250 and into the points of one query.

    Whether Shopify counts ids one by one is told by its first answer only, so the first call is a small one: waiting
    for a thousand points that are not needed would hold up everybody else.
    """
    wanted = list(dict.fromkeys(numbers))
    size = min(MAX_INPUT, MAX_QUERY_COST // estimate(query, {"ids": [""]}))

    async def chunk(part: Sequence[int]) -> list[dict[str, Any] | None]:
        asked = {"ids": [ids.gid(type_name, number) for number in part], **variables}
        nodes: list[dict[str, Any] | None] = (await client.execute(query, asked, idempotent=True)).data["nodes"]
        return nodes

    first = wanted[: 0 if client.has_learned(query, {}) else _FIRST]
    chunks = [*_chunks(first, size), *_chunks(wanted[len(first) :], size)]
    answers = [await chunk(first)] if first else []
    answers += await asyncio.gather(*(chunk(part) for part in chunks[len(answers) :]))
    return {
        number: make(node) if node else None
        for part, nodes in zip(chunks, answers, strict=True)
        for number, node in zip(part, nodes, strict=True)
    }


def _chunks(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (items[i : i + size] for i in range(0, len(items), size))


def _product(node: dict[str, Any]) -> ProductNode:
    return msgspec.convert(node, ProductNode)


def _variant(node: dict[str, Any]) -> VariantNode:
    return msgspec.convert({**node, "__parentId": node["product"]["id"]}, VariantNode)


def _level(node: dict[str, Any], location: str) -> InventoryLevelNode | None:
    level = node["inventoryLevel"]
    if level is None:
        return None
    return msgspec.convert({**level, "item": {"id": node["id"]}, "__parentId": location}, InventoryLevelNode)
