"""Reading a store: what streams there are, how many records, all ids, deletions, and pages with complete children."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from syncline.connectors.shopify import ids, queries
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_PAGE
from syncline.connectors.shopify.pages import RecordPage, Walk, inventory_pages, locations_of, product_pages
from syncline.runtime.connect.connector import Stream
from syncline.runtime.connect.paging import one_ahead

PRODUCTS: Final = Stream(
    name="products",
    kinds=("product", "variant"),
    key={"product": "id", "variant": "id"},
    cursor="Product.updatedAt; a change of a variant also moves its product's",
    paging="by id, 250 products a page; past 25,000 of them by a new range of ids",
    scopes=("read_products",),
)
INVENTORY: Final = Stream(
    name="inventory",
    kinds=("location", "inventory_level"),
    key={"location": "id", "inventory_level": "item id, location id"},
    cursor="InventoryLevel.updatedAt; locations are always read whole",
    paging="location by location, 250 levels a page",
    scopes=("read_inventory", "read_locations"),
)
STREAMS: Final = {stream.name: stream for stream in (PRODUCTS, INVENTORY)}

# A store has tens of locations (1,000 at most), so counting them by reading is one call.
_COUNTABLE: Final = {"product": "productsCount", "variant": "productVariantsCount"}
_SUBJECTS: Final = {"PRODUCT": "product", "PRODUCT_VARIANT": "variant"}
_ID_LISTS: Final = {
    "product": ("products", queries.PRODUCT_IDS),
    "variant": ("productVariants", queries.VARIANT_IDS),
}


@dataclass(frozen=True, slots=True)
class Deletion:
    """A record that no longer exists. Deleting a product deletes its variants without an event of their own."""

    kind: str
    id: int
    at: str


async def count(client: ShopifyClient, stream: Stream) -> dict[str, int | None]:
    """How many records of each kind the store has; None where Shopify does not say exactly."""
    if stream.name == INVENTORY.name:
        locations = [number async for page in list_ids(client, "location") for number in page]
        return {"location": len(locations), "inventory_level": None}
    data = (await client.execute(queries.PRODUCT_COUNTS, idempotent=True)).data
    return {kind: _exact(data.get(field)) for kind, field in _COUNTABLE.items()}


def _exact(answer: dict[str, Any] | None) -> int | None:
    return answer["count"] if answer and answer["precision"] == "EXACT" else None


def read_pages(
    client: ShopifyClient, stream: Stream, *, since: datetime | None = None, cursor: str | None = None
) -> AsyncIterator[RecordPage]:
    """All records of a stream, or those updated at `since` or later, as the lines a bulk file would have.

    Every product comes with all of its variants. `cursor` of a page resumes after it, with the same `since`, also in
    another process and another day. One page is read ahead.
    """
    pages = product_pages if stream.name == PRODUCTS.name else inventory_pages
    return one_ahead(pages(client, since=since, cursor=cursor))


async def read_deletions(client: ShopifyClient, since: datetime) -> AsyncIterator[list[Deletion]]:
    """Products and variants deleted at `since` or later, oldest first, in pages.

    Shopify keeps events for one year; compare `list_ids` with what is stored when the last look is older than that.
    """
    search = f"action:destroy created_at:>='{queries.search_time(since)}'"
    after: str | None = None
    while True:
        answer = await client.execute(
            queries.DELETIONS_PAGE, {"first": MAX_PAGE, "after": after, "query": search}, idempotent=True
        )
        events = answer.data["events"]
        page = [
            Deletion(_SUBJECTS[node["subjectType"]], ids.number_of(node["subjectId"]), node["createdAt"])
            for node in events["nodes"]
            # The filter is checked again: acting on a wrong event would delete a living record from the mirror.
            if node["action"] == "destroy" and node.get("subjectType") in _SUBJECTS
        ]
        if page:
            yield page
        if not events["pageInfo"]["hasNextPage"]:
            return
        after = events["pageInfo"]["endCursor"]


async def list_ids(client: ShopifyClient, kind: str) -> AsyncGenerator[list[int], None]:
    """Every id of a kind (`product`, `variant`, `location`), ascending, in pages; cheap, to find what was missed."""
    if kind == "location":
        yield sorted([ids.number_of(node["id"]) async for node in locations_of(client)])
        return
    root, query = _ID_LISTS[kind]
    walk = Walk()
    while True:
        variables = {"first": MAX_PAGE, "after": walk.after, "query": walk.search(None)}
        connection = (await client.execute(query, variables, idempotent=True)).data[root]
        numbers = [ids.number_of(node["id"]) for node in connection["nodes"]]
        if numbers:
            yield numbers
        if not connection["pageInfo"]["hasNextPage"]:
            return
        walk = walk.next(connection["pageInfo"]["endCursor"], numbers[-1], len(numbers))
