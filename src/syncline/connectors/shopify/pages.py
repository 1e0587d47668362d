"""Pages of records, flattened into the lines that a bulk file would hold, each with its complete children."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from syncline.connectors.shopify import ids, queries
from syncline.connectors.shopify.answers import Answer
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_PAGE
from syncline.connectors.shopify.errors import TooHeavy
from syncline.connectors.shopify.sources import (
    LEVELS_OF_ITEM,
    SOURCES,
    Child,
    items_query,
    page_query,
    rest_query,
    updated_since,
)
from syncline.kernel.errors import Fatal

# Shopify pages through 25,000 objects of one list at most; a new range of ids begins before that.
_RANGE: Final = 24_000
_NOTHING: Final[dict[str, Any]] = {"nodes": [], "pageInfo": {"hasNextPage": False}}


@dataclass(frozen=True, slots=True)
class RecordPage:
    """`lines` are JSON without a newline. `cursor` resumes after this page; None on the last one."""

    lines: list[bytes]
    cursor: str | None
    last: bool


class Walk(msgspec.Struct, frozen=True):
    """Where a walk by ascending id stands: inside a range of ids that begins above `floor`, `seen` objects into it."""

    after: str | None = None
    floor: int = 0
    seen: int = 0

    def search(self, extra: str | None) -> str | None:
        terms = [extra] if extra else []
        if self.floor:
            terms.append(f"id:>{self.floor}")
        return " ".join(terms) or None

    def next(self, end_cursor: str, last_id: int, count: int) -> Walk:
        if self.seen + count >= _RANGE:
            return Walk(floor=last_id)
        return Walk(after=end_cursor, floor=self.floor, seen=self.seen + count)


class LevelsCursor(msgspec.Struct, frozen=True):
    """`location` is the one being read, from `after` on, after `seen` of its levels; those with smaller ids are done.
    With `items` the levels are being read by item instead."""

    location: int
    after: str | None = None
    seen: int = 0
    items: Walk | None = None


def _load(cursor: str | None, type_: type[Any], otherwise: Any) -> Any:
    if cursor is None:
        return otherwise
    try:
        return msgspec.json.decode(cursor, type=type_)
    except msgspec.DecodeError as error:
        raise Fatal(
            "A pull cannot go on from where it stood; start it anew.", detail=f"cursor {cursor[:80]!r}: {error}"
        ) from error


def _dump(cursor: Walk | LevelsCursor) -> str:
    return msgspec.json.encode(cursor).decode()


async def record_pages(
    client: ShopifyClient, stream: str, *, since: datetime | None, cursor: str | None, keys_only: bool = False
) -> AsyncGenerator[RecordPage, None]:
    """Pages of any stream but the inventory's, each record with all that hangs on it."""
    source = SOURCES[stream].only_keys() if keys_only else SOURCES[stream]
    query = page_query(stream, keys_only=keys_only)
    walk: Walk = _load(cursor, Walk, Walk())
    size = source.page
    search = updated_since(since) if source.is_dated else None
    while True:
        variables = {"after": walk.after, "query": walk.search(search)}
        answer, size = await _shrinking(client, query, variables, size)
        connection = answer.data[source.root]
        nodes = connection["nodes"]
        families = await asyncio.gather(*(family_lines(client, node, source.children) for node in nodes))
        lines = [line for family in families for line in family]
        if not connection["pageInfo"]["hasNextPage"]:
            yield RecordPage(lines, None, last=True)
            return
        walk = walk.next(connection["pageInfo"]["endCursor"], ids.number_of(nodes[-1]["id"]), len(nodes))
        yield RecordPage(lines, _dump(walk), last=False)


class _Gone(Exception):
    """The record was deleted while its children were being read."""


async def family_lines(client: ShopifyClient, node: dict[str, Any], children: tuple[Child, ...]) -> list[bytes]:
    """A record's line and those of all that hangs on it; nothing if it was deleted while being read."""
    try:
        return await _with_children(client, node, children)
    except _Gone:
        return []


async def _with_children(client: ShopifyClient, node: dict[str, Any], children: tuple[Child, ...]) -> list[bytes]:
    below = [line for child in children for line in await _children_of(client, node, child)]
    return [msgspec.json.encode(node), *below]


async def _children_of(client: ShopifyClient, node: dict[str, Any], child: Child) -> list[bytes]:
    if child.lifts_as is not None:
        return await _lifted(client, node, child, child.lifts_as)
    lines: list[bytes] = []
    for one in await _nodes_of(client, node, child):
        one["__parentId"] = node["id"]
        lines += await _with_children(client, one, child.children)
    return lines


async def _lifted(client: ShopifyClient, node: dict[str, Any], child: Child, name: str) -> list[bytes]:
    """What hangs on the members of a list, as if it hung on the record itself."""
    return [
        msgspec.json.encode({**one, name: {"id": member["id"]}, "__parentId": node["id"]})
        for member in node.pop(child.field)
        for inner in child.children
        for one in await _nodes_of(client, member, inner)
    ]


async def _nodes_of(client: ShopifyClient, node: dict[str, Any], child: Child) -> list[dict[str, Any]]:
    """All of a connection."""
    first = node.pop(child.field)
    nodes, info = list(first["nodes"]), first["pageInfo"]
    size = MAX_PAGE
    while info["hasNextPage"]:
        asked = {"id": node["id"], "after": info["endCursor"]}
        answer, size = await _shrinking(client, rest_query(ids.type_of(node["id"]), child), asked, size)
        if not answer.data["node"]:
            raise _Gone
        rest = answer.data["node"][child.field]
        nodes += rest["nodes"]
        info = rest["pageInfo"]
    return nodes


async def inventory_pages(
    client: ShopifyClient, *, since: datetime | None, cursor: str | None, keys_only: bool = False
) -> AsyncGenerator[RecordPage, None]:
    """Location by location, which costs the least. The levels of a location cannot be asked for in ranges, so when one
    has more than Shopify pages through, all levels are read by item, whatever their time."""
    start: LevelsCursor | None = _load(cursor, LevelsCursor, None)
    locations = sorted([node async for node in locations_of(client)], key=lambda node: ids.number_of(node["id"]))
    left = [n for n in locations if start is None or ids.number_of(n["id"]) >= start.location]
    if not left:
        yield RecordPage([], None, last=True)
        return
    walk = None if start is None else start.items
    for index, location in enumerate(left if walk is None else []):
        resumed = start is not None and ids.number_of(location["id"]) == start.location
        here = start if start is not None and resumed else LevelsCursor(ids.number_of(location["id"]))
        following = left[index + 1] if index + 1 < len(left) else None
        query = queries.LEVEL_KEYS_OF_LOCATION if keys_only else queries.LEVELS_OF_LOCATION
        async for page in _levels(client, location, following, query=query, since=since, here=here):
            yield page
            walk = None if page.cursor is None else _load(page.cursor, LevelsCursor, None).items
        if walk is not None:
            break
    if walk is not None:
        async for page in _levels_by_item(client, locations, walk, keys_only=keys_only):
            yield page


async def locations_of(client: ShopifyClient) -> AsyncGenerator[dict[str, Any], None]:
    """Every location, also inactive ones and those of fulfilment services: stock lies there too."""
    after: str | None = None
    while True:
        answer = await client.execute(queries.LOCATIONS_PAGE, {"first": MAX_PAGE, "after": after}, idempotent=True)
        connection = answer.data["locations"]
        for node in connection["nodes"]:
            yield node
        if not connection["pageInfo"]["hasNextPage"]:
            return
        after = connection["pageInfo"]["endCursor"]


async def _levels(
    client: ShopifyClient,
    location: dict[str, Any],
    following: dict[str, Any] | None,
    *,
    query: str,
    since: datetime | None,
    here: LevelsCursor,
) -> AsyncGenerator[RecordPage, None]:
    """Ends with a cursor that has `items` when there are more levels than can be paged through."""
    after, seen = here.after, here.seen
    lines = [] if after else [msgspec.json.encode(location)]
    size = MAX_PAGE
    while True:
        variables = {"id": location["id"], "after": after, "query": updated_since(since)}
        answer, size = await _shrinking(client, query, variables, size)
        # A location that was deleted since it was listed has no levels.
        connection: dict[str, Any] = (answer.data["location"] or {}).get("inventoryLevels") or _NOTHING
        lines += _children(connection["nodes"], location["id"])
        seen += len(connection["nodes"])
        if not connection["pageInfo"]["hasNextPage"]:
            break
        if seen >= _RANGE:
            yield RecordPage(lines, _dump(LevelsCursor(here.location, items=Walk())), last=False)
            return
        after = connection["pageInfo"]["endCursor"]
        yield RecordPage(lines, _dump(LevelsCursor(here.location, after, seen)), last=False)
        lines = []
    if following is None:
        yield RecordPage(lines, None, last=True)
    else:
        yield RecordPage(lines, _dump(LevelsCursor(ids.number_of(following["id"]))), last=False)


async def _levels_by_item(
    client: ShopifyClient, locations: list[dict[str, Any]], walk: Walk, *, keys_only: bool
) -> AsyncGenerator[RecordPage, None]:
    """All levels of all locations. The locations come with the first page, also those that were read before."""
    child = LEVELS_OF_ITEM.only_keys() if keys_only else LEVELS_OF_ITEM
    lines = [msgspec.json.encode(one) for one in locations] if walk == Walk() else []
    size = MAX_PAGE
    while True:
        variables = {"after": walk.after, "query": walk.search(None)}
        answer, size = await _shrinking(client, items_query(child), variables, size)
        connection = answer.data["inventoryItems"]
        found = await asyncio.gather(*(_levels_of(client, node, child) for node in connection["nodes"]))
        lines += [line for levels in found for line in levels]
        if not connection["pageInfo"]["hasNextPage"]:
            yield RecordPage(lines, None, last=True)
            return
        nodes = connection["nodes"]
        walk = walk.next(connection["pageInfo"]["endCursor"], ids.number_of(nodes[-1]["id"]), len(nodes))
        yield RecordPage(lines, _dump(LevelsCursor(0, items=walk)), last=False)
        lines = []


async def _levels_of(client: ShopifyClient, item: dict[str, Any], child: Child) -> list[bytes]:
    try:
        levels = await _nodes_of(client, item, child)
    except _Gone:
        return []
    return [line for level in levels for line in _children([level], level.pop("location")["id"])]


def _children(nodes: list[dict[str, Any]], parent: str) -> Iterator[bytes]:
    return (msgspec.json.encode({**node, "__parentId": parent}) for node in nodes)


async def _shrinking(client: ShopifyClient, query: str, variables: dict[str, Any], size: int) -> tuple[Answer, int]:
    """A page of `size`, or of a quarter of it and so on when it is too dear or too heavy for Shopify to answer.

    Dense stores make Shopify time out on pages that are fine elsewhere; the smaller size is kept for the pages after.
    """
    while True:
        asked = {**variables, "first": size}
        try:
            return await client.execute(query, asked, idempotent=True, can_shrink=size > 1), size
        except TooHeavy:
            if size == 1:
                raise
            size = max(1, size // 4)
