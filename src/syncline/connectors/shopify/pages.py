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
from syncline.kernel.errors import Fatal

# Requested cost of a page of 250 products with up to 100 variants each is 563 of the 1,000 allowed.
PRODUCTS_A_PAGE: Final = MAX_PAGE
CHILDREN_A_PAGE: Final = 100

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
    """`location` is the one being read, from `after` on; those with smaller ids are done."""

    location: int
    after: str | None = None


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


async def product_pages(
    client: ShopifyClient, *, since: datetime | None, cursor: str | None
) -> AsyncGenerator[RecordPage, None]:
    walk: Walk = _load(cursor, Walk, Walk())
    size = PRODUCTS_A_PAGE
    while True:
        variables = {
            "after": walk.after,
            "children": CHILDREN_A_PAGE,
            "query": walk.search(queries.updated_since(since)),
        }
        answer, size = await _shrinking(client, queries.PRODUCTS_PAGE, variables, size)
        connection = answer.data["products"]
        nodes = connection["nodes"]
        families = await asyncio.gather(*(_family(client, node) for node in nodes))
        lines = [line for family in families for line in family]
        if not connection["pageInfo"]["hasNextPage"]:
            yield RecordPage(lines, None, last=True)
            return
        walk = walk.next(connection["pageInfo"]["endCursor"], ids.number_of(nodes[-1]["id"]), len(nodes))
        yield RecordPage(lines, _dump(walk), last=False)


async def _family(client: ShopifyClient, product: dict[str, Any]) -> list[bytes]:
    """A product's line and those of all its variants; nothing if it was deleted while being read."""
    first = product.pop("variants")
    variants, info = list(first["nodes"]), first["pageInfo"]
    size = MAX_PAGE
    while info["hasNextPage"]:
        asked = {"id": product["id"], "after": info["endCursor"]}
        answer, size = await _shrinking(client, queries.VARIANTS_OF_PRODUCT, asked, size)
        if answer.data["product"] is None:
            return []
        rest = answer.data["product"]["variants"]
        variants += rest["nodes"]
        info = rest["pageInfo"]
    return [msgspec.json.encode(product), *_children(variants, product["id"])]


async def inventory_pages(
    client: ShopifyClient, *, since: datetime | None, cursor: str | None
) -> AsyncGenerator[RecordPage, None]:
    start: LevelsCursor | None = _load(cursor, LevelsCursor, None)
    locations = sorted([node async for node in locations_of(client)], key=lambda node: ids.number_of(node["id"]))
    left = [n for n in locations if start is None or ids.number_of(n["id"]) >= start.location]
    if not left:
        yield RecordPage([], None, last=True)
    for index, location in enumerate(left):
        resumed = start is not None and ids.number_of(location["id"]) == start.location
        after = start.after if start is not None and resumed else None
        following = left[index + 1] if index + 1 < len(left) else None
        async for page in _levels(client, location, following, since=since, after=after):
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
    since: datetime | None,
    after: str | None,
) -> AsyncGenerator[RecordPage, None]:
    number = ids.number_of(location["id"])
    lines = [] if after else [msgspec.json.encode(location)]
    size = MAX_PAGE
    while True:
        variables = {"id": location["id"], "after": after, "query": queries.updated_since(since)}
        answer, size = await _shrinking(client, queries.LEVELS_OF_LOCATION, variables, size)
        # A location that was deleted since it was listed has no levels.
        connection: dict[str, Any] = (answer.data["location"] or {}).get("inventoryLevels") or _NOTHING
        lines += _children(connection["nodes"], location["id"])
        if not connection["pageInfo"]["hasNextPage"]:
            break
        after = connection["pageInfo"]["endCursor"]
        yield RecordPage(lines, _dump(LevelsCursor(number, after)), last=False)
        lines = []
    if following is None:
        yield RecordPage(lines, None, last=True)
    else:
        yield RecordPage(lines, _dump(LevelsCursor(ids.number_of(following["id"]))), last=False)


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
