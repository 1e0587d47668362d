"""Reading a store: what streams there are, how many records, all keys, deletions, and pages with complete children."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from syncline.connectors.shopify import ids, queries
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_PAGE, estimate
from syncline.connectors.shopify.errors import MissingScope
from syncline.connectors.shopify.pages import RecordPage, inventory_pages, locations_of, record_pages
from syncline.connectors.shopify.sources import (
    SOURCES,
    count_query,
    page_cost,
    page_operation,
    search_time,
    slice_query,
)
from syncline.runtime.connect.connector import Stream
from syncline.runtime.connect.paging import one_ahead

_BY_ID: Final = "by id, {page} a page; past 25,000 of them by a new range of ids"


def _cost(stream: str) -> str:
    return f"a full page reserves {page_cost(stream)} points and is charged what comes back"


def _by_id(stream: str) -> str:
    return _BY_ID.format(page=SOURCES[stream].page)


PRODUCTS: Final = Stream(
    name="products",
    kinds=("product", "variant"),
    key={"product": "id", "variant": "id"},
    cursor="Product.updatedAt; a change of a variant also moves its product's",
    paging=_by_id("products"),
    cost=_cost("products"),
    scopes=("read_products",),
)
INVENTORY: Final = Stream(
    name="inventory",
    kinds=("location", "inventory_level"),
    key={"location": "id", "inventory_level": "item id, location id"},
    cursor="InventoryLevel.updatedAt; locations are always read whole",
    paging="location by location, 250 levels a page",
    cost=f"a full page of levels reserves {estimate(queries.LEVELS_OF_LOCATION, {'first': MAX_PAGE})} points",
    scopes=("read_inventory", "read_locations"),
)
INVENTORY_ITEMS: Final = Stream(
    name="inventory_items",
    kinds=("inventory_item",),
    key={"inventory_item": "id"},
    cursor="InventoryItem.updatedAt",
    paging=_by_id("inventory_items"),
    cost=_cost("inventory_items"),
    scopes=("read_inventory",),
)
COLLECTIONS: Final = Stream(
    name="collections",
    kinds=("collection", "collection_membership"),
    key={"collection": "id", "collection_membership": "collection id, product id"},
    # A product that comes to fulfil a rule, or no longer does, moves no time of the collection.
    cursor="none: read whole each time, for membership by rule moves without the collection's updatedAt",
    paging=_by_id("collections"),
    cost=_cost("collections"),
    scopes=("read_products",),
)
MEDIA: Final = Stream(
    name="media",
    kinds=("product_media",),
    key={"product_media": "product id, media id"},
    cursor="Product.updatedAt, which a change of its media moves",
    paging=_by_id("media"),
    cost=_cost("media"),
    scopes=("read_products",),
)
METAFIELDS: Final = Stream(
    name="metafields",
    kinds=("metafield",),
    key={"metafield": "id"},
    cursor="Product.updatedAt, which a change of its or its variants' metafields moves",
    paging=_by_id("metafields"),
    cost=_cost("metafields"),
    scopes=("read_products",),
)
ORDERS: Final = Stream(
    name="orders",
    kinds=("order", "order_line"),
    key={"order": "id", "order_line": "id"},
    cursor="Order.updatedAt; a refund, fulfilment or transaction moves it",
    paging=_by_id("orders"),
    cost=_cost("orders"),
    # Without read_all_orders Shopify shows the last 60 days only, and says nothing.
    scopes=("read_orders",),
)
CUSTOMERS: Final = Stream(
    name="customers",
    kinds=("customer",),
    key={"customer": "id"},
    cursor="Customer.updatedAt; a change of an address moves it",
    paging=_by_id("customers"),
    cost=_cost("customers"),
    scopes=("read_customers",),
)
REFUND_LINES: Final = Stream(
    name="refund_lines",
    kinds=("refund_line",),
    key={"refund_line": "id"},
    cursor="Order.updatedAt, which a refund moves",
    paging=f"{_by_id('refund_lines')}; always by pages, for Shopify has no connection inside a list in bulk",
    cost=_cost("refund_lines"),
    scopes=("read_orders",),
)
COLLECTION_METAFIELDS: Final = Stream(
    name="collection_metafields",
    kinds=("collection_metafield",),
    key={"collection_metafield": "id"},
    cursor="none: read whole each time, with the collections",
    paging=_by_id("collection_metafields"),
    cost=_cost("collection_metafields"),
    scopes=("read_products",),
)
ORDER_METAFIELDS: Final = Stream(
    name="order_metafields",
    kinds=("order_metafield",),
    key={"order_metafield": "id"},
    cursor="Order.updatedAt, which a change of its metafields moves",
    paging=_by_id("order_metafields"),
    cost=_cost("order_metafields"),
    scopes=("read_orders",),
)
CUSTOMER_METAFIELDS: Final = Stream(
    name="customer_metafields",
    kinds=("customer_metafield",),
    key={"customer_metafield": "id"},
    cursor="Customer.updatedAt, which a change of its metafields moves",
    paging=_by_id("customer_metafields"),
    cost=_cost("customer_metafields"),
    scopes=("read_customers",),
)
STREAMS: Final = {
    stream.name: stream
    for stream in (
        *(PRODUCTS, INVENTORY, INVENTORY_ITEMS, COLLECTIONS, MEDIA, METAFIELDS, ORDERS, REFUND_LINES, CUSTOMERS),
        *(COLLECTION_METAFIELDS, ORDER_METAFIELDS, CUSTOMER_METAFIELDS),
    )
}

_SUBJECTS: Final = {
    "PRODUCT_VARIANT": "variant",
    **{source.subject: next(iter(source.types.values())) for source in SOURCES.values() if source.subject is not None},
}


@dataclass(frozen=True, slots=True)
class Deletion:
    """A record that no longer exists. Deleting a product deletes its variants without an event of their own."""

    kind: str
    id: int
    at: str


async def count(client: ShopifyClient, stream: Stream) -> dict[str, int | None]:
    """How many records of each kind the store has; None where Shopify does not say exactly."""
    counts: dict[str, int | None] = dict.fromkeys(stream.kinds)
    if stream.name == INVENTORY.name:
        return {**counts, "location": sum([1 async for _ in locations_of(client)])}
    query = count_query(stream.name)
    if query is not None:
        data = (await client.execute(query, idempotent=True)).data
        counts |= {kind: _exact(data.get(field)) for kind, field in SOURCES[stream.name].counts.items()}
    return counts


async def count_variants(client: ShopifyClient) -> int | None:
    """Of which each has one inventory item, and a level at every place where it is stocked; Shopify counts neither.
    None also where the token may not read products."""
    try:
        return (await count(client, PRODUCTS))["variant"]
    except MissingScope:
        return None


def page_seconds(client: ShopifyClient, stream: Stream) -> float | None:
    """What this client's last pages of the stream took, without waiting for points; None before the first."""
    operation = "LevelsOfLocation" if stream.name == INVENTORY.name else page_operation(stream.name)
    return client.seconds_by_operation.get(operation)


async def count_found(client: ShopifyClient, stream: Stream, search: str | None) -> int | None:
    """How many of the stream's own records, without what hangs on them, a search finds; None where Shopify does not say
    exactly."""
    query = slice_query(stream.name)
    if query is None:
        return None
    data = (await client.execute(query, {"query": search}, idempotent=True)).data
    return _exact(next(iter(data.values())))


def _exact(answer: dict[str, Any] | None) -> int | None:
    return answer["count"] if answer and answer["precision"] == "EXACT" else None


def read_pages(
    client: ShopifyClient,
    stream: Stream,
    *,
    since: datetime | None = None,
    cursor: str | None = None,
    keys_only: bool = False,
) -> AsyncIterator[RecordPage]:
    """All records of a stream, or those updated at `since` or later, as the lines a bulk file would have.

    Every record comes with all of its children. `cursor` of a page resumes after it, with the same `since`, also in
    another process and another day. One page is read ahead. `keys_only`: lines with no more than names their record.
    """
    if stream.name == INVENTORY.name:
        return one_ahead(inventory_pages(client, since=since, cursor=cursor, keys_only=keys_only))
    return one_ahead(record_pages(client, stream.name, since=since, cursor=cursor, keys_only=keys_only))


async def read_deletions(client: ShopifyClient, since: datetime) -> AsyncGenerator[list[Deletion], None]:
    """Records deleted at `since` or later, oldest first, in pages.

    Shopify keeps events for one year; compare all keys with what is stored when the last look is older than that.
    """
    search = f"action:destroy created_at:>='{search_time(since)}'"
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
