"""Where each stream's records come from: the connection at Shopify's root, what is asked of a record and of what hangs
on it, and the documents made of that for a page, a bulk operation, single families and the ids alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from syncline.connectors.shopify import selections
from syncline.connectors.shopify.cost import MAX_PAGE, estimate


@dataclass(frozen=True, slots=True)
class Child:
    """A connection below a record. `page` is how many of it come with the record's own page; the rest are asked for one
    by one. `is_dated`: the stream's incremental filter stands here and not at the root."""

    field: str
    selection: str
    page: int
    children: tuple[Child, ...] = ()
    keys: str = "id"
    is_dated: bool = False
    lifts_as: str | None = None
    """For a list and no connection, of which nothing is kept but what hangs on its members: the name under which that
    has the member's id. Its lines stand below the record itself."""

    def only_keys(self) -> Child:
        return replace(self, selection=self.keys, children=tuple(child.only_keys() for child in self.children))


@dataclass(frozen=True, slots=True)
class Source:
    """`types` says which kind of record a line is, by the type in its global id. `counts` are Shopify's exact counts of
    a kind, `subject` the name under which its event log tells that the root's record was deleted."""

    root: str
    type_name: str
    selection: str
    types: Mapping[str, str]
    children: tuple[Child, ...] = ()
    arguments: str = "sortKey: ID"
    bulk_arguments: str = ""
    page: int = MAX_PAGE
    is_dated: bool = True
    counts: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None

    @property
    def is_paged_only(self) -> bool:
        """Shopify allows no connection inside a list in bulk."""
        return any(child.lifts_as is not None for child in self.children)

    @property
    def is_whole(self) -> bool:
        """Whether no time tells what changed, so that every reading is of all of it."""
        return not self.is_dated and not any(child.is_dated for child in self.children)

    def only_keys(self) -> Source:
        """The same records, each with no more than names it."""
        return replace(self, selection="id", children=tuple(child.only_keys() for child in self.children))


_METAFIELDS: Final = Child("metafields", selections.METAFIELD, page=10)
_MEDIA_TYPES: Final = dict.fromkeys(("MediaImage", "Video", "ExternalVideo", "Model3d"), "product_media")

SOURCES: Final[Mapping[str, Source]] = {
    "products": Source(
        root="products",
        type_name="Product",
        selection=selections.PRODUCT,
        types={"Product": "product", "ProductVariant": "variant"},
        # Requested cost of a page of 250 products with up to 100 variants each is 563 of the 1,000 allowed.
        children=(Child("variants", selections.VARIANT, page=100),),
        counts={"product": "productsCount", "variant": "productVariantsCount"},
        subject="PRODUCT",
    ),
    "inventory": Source(
        root="locations",
        type_name="Location",
        selection=selections.LOCATION,
        types={"Location": "location", "InventoryLevel": "inventory_level"},
        children=(Child("inventoryLevels", selections.LEVEL, page=MAX_PAGE, keys="id item { id }", is_dated=True),),
        arguments="includeInactive: true, includeLegacy: true, sortKey: ID",
        bulk_arguments="includeInactive: true, includeLegacy: true",
        is_dated=False,
    ),
    "inventory_items": Source(
        root="inventoryItems",
        type_name="InventoryItem",
        selection=selections.INVENTORY_ITEM,
        types={"InventoryItem": "inventory_item"},
        arguments="",
    ),
    "collections": Source(
        root="collections",
        type_name="Collection",
        selection=selections.COLLECTION,
        types={"Collection": "collection", "Product": "collection_membership"},
        children=(Child("products", "id", page=MAX_PAGE),),
        page=100,
        is_dated=False,
        counts={"collection": "collectionsCount"},
        subject="COLLECTION",
    ),
    "media": Source(
        root="products",
        type_name="Product",
        selection="id",
        types={"Product": "product_ref", **_MEDIA_TYPES},
        children=(Child("media", selections.MEDIA, page=50),),
        counts={"product_ref": "productsCount"},
    ),
    "metafields": Source(
        root="products",
        type_name="Product",
        selection="id",
        types={"Product": "product_ref", "ProductVariant": "variant_ref", "Metafield": "metafield"},
        children=(
            replace(_METAFIELDS, page=50),
            Child("variants", "id", page=50, children=(_METAFIELDS,)),
        ),
        counts={"product_ref": "productsCount"},
    ),
    "orders": Source(
        root="orders",
        type_name="Order",
        selection=selections.ORDER,
        types={"Order": "order", "LineItem": "order_line"},
        children=(Child("lineItems", selections.ORDER_LINE, page=50),),
        counts={"order": "ordersCount"},
        subject="ORDER",
    ),
    "refund_lines": Source(
        root="orders",
        type_name="Order",
        selection="id",
        types={"Order": "order_ref", "RefundLineItem": "refund_line"},
        children=(
            Child(
                "refunds",
                "id",
                page=1,
                children=(Child("refundLineItems", selections.REFUND_LINE, page=10),),
                lifts_as="refund",
            ),
        ),
        counts={"order_ref": "ordersCount"},
    ),
    "customers": Source(
        root="customers",
        type_name="Customer",
        selection=selections.CUSTOMER,
        types={"Customer": "customer"},
        counts={"customer": "customersCount"},
        subject="CUSTOMER",
    ),
    "collection_metafields": Source(
        root="collections",
        type_name="Collection",
        selection="id",
        types={"Collection": "collection_ref", "Metafield": "collection_metafield"},
        children=(_METAFIELDS,),
        is_dated=False,
        counts={"collection_ref": "collectionsCount"},
    ),
    "order_metafields": Source(
        root="orders",
        type_name="Order",
        selection="id",
        types={"Order": "order_ref", "Metafield": "order_metafield"},
        children=(_METAFIELDS,),
        counts={"order_ref": "ordersCount"},
    ),
    "customer_metafields": Source(
        root="customers",
        type_name="Customer",
        selection="id",
        types={"Customer": "customer_ref", "Metafield": "customer_metafield"},
        children=(_METAFIELDS,),
        counts={"customer_ref": "customersCount"},
    ),
}


# Ten places an item hold most stores; what is beyond is asked for item by item.
LEVELS_OF_ITEM: Final = Child(
    "inventoryLevels", f"{selections.LEVEL} location {{ id }}", page=10, keys="id item { id } location { id }"
)


def updated_since(since: datetime | None) -> str | None:
    """A search filter, inclusive to the second. The quotes matter: without them Shopify reads the time as two terms and
    silently answers something else (seen live, August 2026)."""
    return None if since is None else f"updated_at:>='{search_time(since)}'"


def search_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=64)
def page_query(stream: str, *, keys_only: bool = False) -> str:
    """Variables: first, after, query."""
    if keys_only:
        return _page_of(SOURCES[stream].only_keys(), f"{_title(stream)}Keys")
    return _page_of(SOURCES[stream], page_operation(stream))


def page_operation(stream: str) -> str:
    """The name of the stream's page query."""
    return f"{_title(stream)}Page"


def _page_of(source: Source, name: str) -> str:
    arguments = ", ".join(filter(None, ["first: $first, after: $after, query: $query", source.arguments]))
    return (
        f"query {name}($first: Int!, $after: String, $query: String) {{ "
        f"{source.root}({arguments}) {{ nodes {{ {source.selection}{_nested(source.children)} }} "
        "pageInfo { hasNextPage endCursor } } }"
    )


@lru_cache(maxsize=2)
def items_query(child: Child) -> str:
    """Inventory items with their levels at every location. Variables: first, after, query."""
    return _page_of(replace(SOURCES["inventory_items"], selection="id", children=(child,)), "LevelsOfItems")


@lru_cache(maxsize=64)
def rest_query(type_name: str, child: Child) -> str:
    """The further children of one record. Variables: id, first, after."""
    return (
        f"query Rest{_title(child.field)}($id: ID!, $first: Int!, $after: String) {{ node(id: $id) {{ "
        f"... on {type_name} {{ {child.field}(first: $first, after: $after) {{ "
        f"nodes {{ {child.selection}{_nested(child.children)} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"
    )


@lru_cache(maxsize=64)
def families_query(stream: str) -> str:
    """Records by id with what hangs on them. Variables: ids."""
    source = SOURCES[stream]
    return (
        f"query {_title(stream)}Families($ids: [ID!]!) {{ nodes(ids: $ids) {{ "
        f"... on {source.type_name} {{ {source.selection}{_nested(source.children)} }} }} }}"
    )


@lru_cache(maxsize=64)
def count_query(stream: str) -> str | None:
    """The exact counts Shopify has of a stream. An explicit null lifts the default limit of 10,000 from a count."""
    counts = SOURCES[stream].counts
    fields = " ".join(f"{field}(limit: null) {{ count precision }}" for field in counts.values())
    return f"query {_title(stream)}Counts {{ {fields} }}" if counts else None


@lru_cache(maxsize=64)
def slice_query(stream: str) -> str | None:
    """How many of the root's records a search finds. Never asked of variants: productVariantsCount ignores any filter
    yet calls its answer EXACT (seen live, August 2026). Variables: query."""
    field = next(iter(SOURCES[stream].counts.values()), None)
    if field is None:
        return None
    return f"query CountSlice($query: String) {{ {field}(limit: null, query: $query) {{ count precision }} }}"


def bulk_query(stream: str, *, since: datetime | None, within: str | None = None) -> str:
    """The document of a stream's bulk operation; the same for the same arguments, so that it can be found again. Not
    for one that `is_paged_only`. `within` limits the root's records to a part of them."""
    source = SOURCES[stream]
    search = updated_since(since)
    terms = [term for term in (search if source.is_dated else None, within) if term]
    arguments = ", ".join(filter(None, [f'query: "{" ".join(terms)}"' if terms else "", source.bulk_arguments]))
    children = _bulk_nested(source.children, search)
    root = f"{source.root}({arguments})" if arguments else source.root
    return f"{{ {root} {{ edges {{ node {{ {source.selection}{children} }} }} }} }}"


def page_cost(stream: str) -> int:
    """Points Shopify reserves for one full page of the stream; what it charges follows what comes back."""
    return estimate(page_query(stream), {"first": SOURCES[stream].page})


def family_cost(stream: str, records: int, families: Mapping[str, float]) -> int:
    """Points of a page of so many records whose families are of these sizes, by field."""
    source = SOURCES[stream]
    sized = tuple(
        replace(child, page=max(1, min(math.ceil(families[child.field]), child.page))) for child in source.children
    )
    return estimate(_page_of(replace(source, children=sized), "Sized"), {"first": records})


def rest_cost(stream: str) -> int:
    """Points of one further page of a record's children."""
    source = SOURCES[stream]
    return max(
        (
            estimate(rest_query(source.type_name, child), {"first": MAX_PAGE})
            for child in source.children
            if child.lifts_as is None
        ),
        default=0,
    )


def _nested(children: tuple[Child, ...]) -> str:
    return "".join(map(_below, children))


def _below(child: Child) -> str:
    inner = f"{child.selection}{_nested(child.children)}"
    if child.lifts_as is not None:
        return f" {child.field} {{ {inner} }}"
    return f" {child.field}(first: {child.page}) {{ nodes {{ {inner} }} pageInfo {{ hasNextPage endCursor }} }}"


def _bulk_nested(children: tuple[Child, ...], search: str | None) -> str:
    return "".join(
        f" {child.field}{_filter(child, search)} {{ edges {{ node {{ {child.selection}"
        f"{_bulk_nested(child.children, search)} }} }} }}"
        for child in children
    )


def _filter(child: Child, search: str | None) -> str:
    return f'(query: "{search}")' if child.is_dated and search else ""


def _title(name: str) -> str:
    return "".join(part[0].upper() + part[1:] for part in name.split("_"))
