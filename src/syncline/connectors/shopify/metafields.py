"""Metafields of products and variants, by owner, namespace and key: read again, set with compare-and-swap, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from syncline.connectors.shopify import content_queries, ids
from syncline.connectors.shopify.catalog_nodes import MetafieldNode
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_INPUT, MAX_QUERY_COST, estimate
from syncline.connectors.shopify.results import RowResult, UserError, by_row, silent

MAX_AT_ONCE: Final = 25
"""Metafields of one metafieldsSet (schema text, 2026-10)."""
_MAX_BYTES: Final = 8_000_000  # of 10 MB for the whole request
_NAMES_AT_ONCE: Final = 50

T = TypeVar("T")


class MetafieldKey(NamedTuple):
    """`owner_type` is `ids.PRODUCT` or `ids.VARIANT`."""

    owner_type: str
    owner: int
    namespace: str
    key: str

    @property
    def dotted(self) -> str:
        return f"{self.namespace}.{self.key}"

    @property
    def identifier(self) -> dict[str, str]:
        return {"ownerId": ids.gid(self.owner_type, self.owner), "namespace": self.namespace, "key": self.key}


@dataclass(frozen=True, slots=True)
class MetafieldWrite:
    """`digest` names the value that is written over; None demands that there is no such metafield yet."""

    key: MetafieldKey
    type: str
    value: str
    digest: str | None


async def read_metafields(
    client: ShopifyClient, keys: Iterable[MetafieldKey]
) -> dict[MetafieldKey, MetafieldNode | None]:
    """Each of `keys` whose owner exists; None for a metafield that the owner does not have."""
    wanted = list(dict.fromkeys(keys))
    names = list(dict.fromkeys(key.dotted for key in wanted))
    found: dict[MetafieldKey, MetafieldNode | None] = {}
    for part in _chunks(names, _NAMES_AT_ONCE):
        asked = [key for key in wanted if key.dotted in set(part)]
        owners = list(dict.fromkeys(ids.gid(key.owner_type, key.owner) for key in asked))
        nodes = await _owners(client, owners, part)
        for key in asked:
            held = nodes.get(ids.gid(key.owner_type, key.owner))
            if held is not None:
                found[key] = held.get(key.dotted)
    return found


async def _owners(
    client: ShopifyClient, owners: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, MetafieldNode]]:
    """The metafields of each owner that exists, by `namespace.key`."""
    query, fixed = content_queries.READ_METAFIELDS, {"keys": names, "first": len(names)}
    size = max(1, min(MAX_INPUT, MAX_QUERY_COST // estimate(query, {"ids": [""], **fixed})))

    async def chunk(part: Sequence[str]) -> list[dict[str, Any] | None]:
        nodes: list[dict[str, Any] | None] = (
            await client.execute(query, {"ids": part, **fixed}, idempotent=True)
        ).data["nodes"]
        return nodes

    answers = await asyncio.gather(*(chunk(part) for part in _chunks(owners, size)))
    return {
        owner["id"]: {
            f"{node.namespace}.{node.key}": node
            for node in (_node(raw, owner["id"]) for raw in owner["metafields"]["nodes"])
        }
        for answer in answers
        for owner in answer
        if owner is not None
    }


def _node(raw: Mapping[str, Any], owner: str) -> MetafieldNode:
    key = raw["key"].removeprefix(f"{raw['namespace']}.")
    return msgspec.convert({**raw, "key": key, "__parentId": owner}, MetafieldNode)


async def set_metafields(client: ShopifyClient, rows: Sequence[MetafieldWrite]) -> list[RowResult[MetafieldKey]]:
    """Sets metafields, in the order given; a row whose digest is out of date is refused as stale.

    Shopify writes all 25 of a call or none. When some are refused, the others are sent again without them. Raises
    `OutcomeUnknown` when a call may or may not have been carried out.
    """
    results: dict[int, RowResult[MetafieldKey]] = {}
    for batch in _batches(rows):
        pending = batch
        while pending:
            answers = await _set(client, [rows[i] for i in pending])
            results |= {i: answer for i, answer in zip(pending, answers, strict=True) if answer is not None}
            pending = [i for i in pending if i not in results]
    return [results[i] for i in range(len(rows))]


def _batches(rows: Sequence[MetafieldWrite]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for index, row in enumerate(rows):
        weight = len(row.value.encode())
        if batch and (len(batch) == MAX_AT_ONCE or size + weight > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(index)
        size += weight
    if batch:
        yield batch


async def _set(client: ShopifyClient, rows: Sequence[MetafieldWrite]) -> list[RowResult[MetafieldKey] | None]:
    """One atomic call. None for a row that was fine but not written because of another's error."""
    keys = [row.key for row in rows]
    given = [{**row.key.identifier, "type": row.type, "value": row.value, "compareDigest": row.digest} for row in rows]
    answer = await client.execute(content_queries.SET_METAFIELDS, {"metafields": given}, idempotent=False)
    payload = answer.data["metafieldsSet"]
    refused, whole = by_row([_placed(error) for error in payload["userErrors"]], ["metafields"])
    if refused:
        return [_refused(row.key, refused[i]) if i in refused else None for i, row in enumerate(rows)]
    if whole and len(rows) > 1:
        # Whose fault it is was not said, so each is asked for alone.
        return [(await _set(client, [row]))[0] for row in rows]
    if whole:
        return [_refused(row.key, whole) for row in rows]
    nodes = {(node["owner"]["id"], node["namespace"], node["key"]): node for node in payload["metafields"] or ()}
    return [_written(key, nodes.get((ids.gid(key.owner_type, key.owner), key.namespace, key.key))) for key in keys]


def _placed(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the place of the row in its path, which Shopify may tell in `elementIndex` only."""
    path, index = list(error.get("field") or ()), error.get("elementIndex")
    if index is None or path[1:2] == [str(index)]:
        return error
    return {**error, "field": ["metafields", str(index), *path[1:]]}


def _written(key: MetafieldKey, node: Mapping[str, Any] | None) -> RowResult[MetafieldKey]:
    if node is None:
        return RowResult(key, ok=False, errors=(silent(),))
    return RowResult(key, ok=True, updated_at=node["updatedAt"], values=node)


def _refused(key: MetafieldKey, errors: Sequence[UserError]) -> RowResult[MetafieldKey]:
    return RowResult(key, ok=False, errors=tuple(errors))


async def delete_metafields(client: ShopifyClient, keys: Sequence[MetafieldKey]) -> list[RowResult[MetafieldKey]]:
    """Deletes metafields, in the order given. One that is not there is no error. Shopify compares nothing here. Raises
    `OutcomeUnknown` when a call may or may not have been carried out."""
    results: list[RowResult[MetafieldKey]] = []
    for part in _chunks(keys, MAX_INPUT):
        given = [key.identifier for key in part]
        answer = await client.execute(content_queries.DELETE_METAFIELDS, {"metafields": given}, idempotent=False)
        refused, whole = by_row(answer.data["metafieldsDelete"]["userErrors"], ["metafields"])
        for index, key in enumerate(part):
            errors = refused.get(index, []) or whole
            results.append(_refused(key, errors) if errors else RowResult(key, ok=True))
    return results


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[i : i + size] for i in range(0, len(items), size))
