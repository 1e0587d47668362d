"""Collections and, of those filled by hand, the products in them: read again, changed, filled and emptied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from syncline.connectors.shopify import content_queries, ids
from syncline.connectors.shopify.catalog_nodes import CollectionNode
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_INPUT, MAX_QUERY_COST, estimate
from syncline.connectors.shopify.results import RowResult, UserError, WriteResult, silent, user_errors
from syncline.connectors.shopify.vendor_jobs import wait_for_job

COLLECTION_FIELDS: Final = frozenset({"title", "handle", "descriptionHtml", "sortOrder", "seo"})
"""What `update_collection` may be given, with Shopify's names."""

Member: TypeAlias = tuple[int, int]
"""(collection, product)"""


async def read_collections(client: ShopifyClient, numbers: Iterable[int]) -> dict[int, CollectionNode | None]:
    """Collections by id; None for one that no longer exists."""
    nodes = await _nodes(client, content_queries.READ_COLLECTIONS, ids.COLLECTION, list(dict.fromkeys(numbers)))
    return {number: msgspec.convert(node, CollectionNode) if node else None for number, node in nodes.items()}


async def read_members(client: ShopifyClient, pairs: Iterable[Member]) -> dict[Member, bool | None]:
    """Whether the product is in the collection; None when the product no longer exists. No product is in a collection
    that does not exist."""
    by_collection: dict[int, list[int]] = {}
    for collection, product in dict.fromkeys(pairs):
        by_collection.setdefault(collection, []).append(product)
    found: dict[Member, bool | None] = {}
    for collection, products in by_collection.items():
        given = {"collection": ids.gid(ids.COLLECTION, collection)}
        nodes = await _nodes(client, content_queries.READ_MEMBERS, ids.PRODUCT, products, **given)
        found |= {(collection, number): node["inCollection"] if node else None for number, node in nodes.items()}
    return found


async def _nodes(
    client: ShopifyClient, query: str, type_name: str, numbers: Sequence[int], **variables: str
) -> dict[int, dict[str, Any] | None]:
    size = max(1, min(MAX_INPUT, MAX_QUERY_COST // estimate(query, {"ids": [""]})))
    found: dict[int, dict[str, Any] | None] = {}
    for part in _chunks(numbers, size):
        asked = {"ids": [ids.gid(type_name, number) for number in part], **variables}
        answer = await client.execute(query, asked, idempotent=True)
        found |= dict(zip(part, answer.data["nodes"], strict=True))
    return found


async def update_collection(client: ShopifyClient, collection: int, fields: Mapping[str, Any]) -> WriteResult:
    """Patches the given fields. Raises `OutcomeUnknown` when it may or may not have been written, `ValueError` for a
    field that is not in `COLLECTION_FIELDS`."""
    if unknown := sorted(fields.keys() - COLLECTION_FIELDS):
        msg = f"cannot write {', '.join(unknown)}; can write {', '.join(sorted(COLLECTION_FIELDS))}"
        raise ValueError(msg)
    input_ = {"id": ids.gid(ids.COLLECTION, collection), **fields}
    answer = await client.execute(content_queries.UPDATE_COLLECTION, {"input": input_}, idempotent=False)
    payload = answer.data["collectionUpdate"]
    errors = user_errors(payload["userErrors"], "input")
    node = payload["collection"]
    if errors or node is None:
        return WriteResult(collection, ok=False, errors=errors or (silent(),))
    return WriteResult(collection, ok=True, updated_at=node["updatedAt"], values=node)


async def add_members(client: ShopifyClient, collection: int, products: Sequence[int]) -> list[RowResult[Member]]:
    """Puts products into a collection that is filled by hand, in the order given.

    Shopify adds all of a call or none, and does not say whose fault it is; so a refused call is made again in halves,
    until it is known who is refused. Raises `OutcomeUnknown` if any call may or may not have been carried out.
    """
    results: list[RowResult[Member]] = []
    for part in _chunks(products, MAX_INPUT):
        results += await _add(client, collection, part)
    return results


async def _add(client: ShopifyClient, collection: int, products: Sequence[int]) -> list[RowResult[Member]]:
    payload = await _ask(client, content_queries.ADD_MEMBERS, collection, products, "collectionAddProducts")
    errors = user_errors(payload["userErrors"], "productIds")
    # What is said of the collection itself, such as that it fills itself by rules, is true of all of them.
    if any(error.field[:1] != ("id",) for error in errors) and len(products) > 1:
        half = len(products) // 2
        return [*await _add(client, collection, products[:half]), *await _add(client, collection, products[half:])]
    if not errors and payload["collection"] is None:
        errors = (silent(),)
    return _same(collection, products, errors)


async def remove_members(client: ShopifyClient, collection: int, products: Sequence[int]) -> list[RowResult[Member]]:
    """Takes products out of a collection that is filled by hand, in the order given. One that is not in it is no error.

    Shopify does the work after it has answered, and is waited for. Raises `OutcomeUnknown` when it takes too long, or
    when a call may or may not have been carried out.
    """
    results: list[RowResult[Member]] = []
    for part in _chunks(products, MAX_INPUT):
        payload = await _ask(client, content_queries.REMOVE_MEMBERS, collection, part, "collectionRemoveProducts")
        errors = user_errors(payload["userErrors"], "productIds")
        if not errors:
            await wait_for_job(client, payload["job"], "taking products out of a collection")
        results += _same(collection, part, errors)
    return results


async def _ask(
    client: ShopifyClient, query: str, collection: int, products: Sequence[int], field: str
) -> Mapping[str, Any]:
    given = {
        "id": ids.gid(ids.COLLECTION, collection),
        "products": [ids.gid(ids.PRODUCT, number) for number in products],
    }
    payload: Mapping[str, Any] = (await client.execute(query, given, idempotent=False)).data[field]
    return payload


def _same(collection: int, products: Sequence[int], errors: Sequence[UserError]) -> list[RowResult[Member]]:
    return [RowResult((collection, number), ok=not errors, errors=tuple(errors)) for number in products]


def _chunks(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (items[i : i + size] for i in range(0, len(items), size))
