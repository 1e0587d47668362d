"""What the store says now of single fields of many records: asked for before a write, at the least cost.

A list of ids costs what one of its records costs, or that for each of them (see `cost`); either way every object that
is not asked for is a point saved, so that only the fields to be compared are selected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from syncline.connectors.shopify import ids
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_INPUT, MAX_QUERY_COST

FieldPath: TypeAlias = tuple[str, ...]
"""Where a scalar stands in its record, with Shopify's names: `("seo", "title")`."""

# The operation's name: a plural and the same words as the reads of whole records, by which logs and faults know it.
_NAMES: Final = {
    ids.PRODUCT: "ReadProducts",
    ids.VARIANT: "ReadVariants",
    ids.COLLECTION: "ReadCollections",
    ids.INVENTORY_ITEM: "ReadInventoryItems",
}
READ_AVAILABLE: Final = """query ReadLevels($ids: [ID!]!, $location: ID!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } }
    }
  }
}"""


async def read_fields(
    client: ShopifyClient, type_name: str, numbers: Iterable[int], paths: Iterable[FieldPath]
) -> dict[int, Mapping[str, Any] | None]:
    """The fields at `paths` of each record, as Shopify nests them; None for one that no longer exists."""
    return await _nodes(client, fields_query(type_name, frozenset(paths)), type_name, numbers)


async def read_available(client: ShopifyClient, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int | None]:
    """What is available by (item, location); None where the item is not stocked or no longer exists."""
    by_location: dict[int, list[int]] = {}
    for item, location in dict.fromkeys(pairs):
        by_location.setdefault(location, []).append(item)

    async def at(location: int, items: list[int]) -> dict[tuple[int, int], int | None]:
        place = ids.gid(ids.LOCATION, location)
        nodes = await _nodes(client, READ_AVAILABLE, ids.INVENTORY_ITEM, items, location=place)
        return {(item, location): _available(node) for item, node in nodes.items()}

    found = await asyncio.gather(*(at(location, items) for location, items in by_location.items()))
    return {key: quantity for levels in found for key, quantity in levels.items()}


def _available(node: Mapping[str, Any] | None) -> int | None:
    level = node["inventoryLevel"] if node else None
    quantities = level["quantities"] if level else ()
    return next((int(one["quantity"]) for one in quantities if one["name"] == "available"), None)


@lru_cache(maxsize=512)
def fields_query(type_name: str, paths: frozenset[FieldPath]) -> str:
    """The same paths give the same text, whose cost is then known."""
    selected = _selection(_tree(("id",), *paths))
    return f"query {_NAMES[type_name]}($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {type_name} {{ {selected} }} }} }}"


def _tree(*paths: FieldPath) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in paths:
        place = tree
        for step in path:
            place = place.setdefault(step, {})
    return tree


def _selection(tree: Mapping[str, Any]) -> str:
    return " ".join(f"{name} {{ {_selection(inside)} }}" if inside else name for name, inside in sorted(tree.items()))


async def _nodes(
    client: ShopifyClient, query: str, type_name: str, numbers: Iterable[int], **variables: str
) -> dict[int, Mapping[str, Any] | None]:
    wanted = list(dict.fromkeys(numbers))
    each = client.cost_of(query, {"ids": ["", ""], **variables}) / 2
    size = max(1, min(MAX_INPUT, int(MAX_QUERY_COST // each)))

    async def chunk(part: Sequence[int]) -> list[Mapping[str, Any] | None]:
        asked = {"ids": [ids.gid(type_name, number) for number in part], **variables}
        answer = await client.execute(query, asked, idempotent=True)
        nodes: list[Mapping[str, Any] | None] = answer.data["nodes"]
        return nodes

    parts = list(_chunks(wanted, size))
    answers = await asyncio.gather(*map(chunk, parts))
    return {
        number: node or None
        for part, nodes in zip(parts, answers, strict=True)
        for number, node in zip(part, nodes, strict=True)
    }


def _chunks(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (items[start : start + size] for start in range(0, len(items), size))
