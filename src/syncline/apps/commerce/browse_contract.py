"""The part of the contract that reads the mirror. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from syncline.kernel.errors import Conflict, NotFound
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor


@dataclass(frozen=True, slots=True)
class BrowseQuery:
    """Which records. `store` is a name, all stores when None; `since` (inclusive) and `until` (exclusive) bound when
    the record was made in the store; `search` is the search syntax for products and stock, a piece of a name or an
    address for orders and customers."""

    store: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A product in a list. Prices are the lowest and the highest of its variants in the store's currency; `available`
    is the sum over variants and locations, None where no stock is kept."""

    id: int
    store: str
    handle: str
    title: str
    vendor: str
    product_type: str
    status: str
    tags: Sequence[str]
    variants_count: int
    min_price: Decimal | None
    max_price: Decimal | None
    available: int | None
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class StockLine:
    """The stock of one variant at one location, in pieces."""

    store: str
    product_id: int
    variant_id: int
    inventory_item_id: int
    location_id: int
    location: str
    label: str
    sku: str | None
    available: int | None
    on_hand: int | None
    committed: int | None
    incoming: int | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProductVariant:
    """A variant with its stock at each active location, by the location's name."""

    id: int
    title: str
    sku: str | None
    barcode: str | None
    price: Decimal
    compare_at_price: Decimal | None
    cost: Decimal | None
    position: int
    inventory_item_id: int
    available: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """A product with all that hangs on it. `metafields` are its own, by `namespace.key`; `collections` are handles."""

    id: int
    store: str
    handle: str
    title: str
    description_html: str
    vendor: str
    product_type: str
    status: str
    tags: Sequence[str]
    seo_title: str | None
    seo_description: str | None
    options: Any
    variants: Sequence[ProductVariant]
    images: Sequence[Mapping[str, Any]]
    metafields: Mapping[str, str]
    collections: Sequence[str]
    created_at: datetime | None
    published_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order in a list. Amounts are in `currency`, the shop's own."""

    id: int
    store: str
    name: str
    email: str | None
    customer_id: int | None
    financial_status: str | None
    fulfillment_status: str
    currency: str
    total: Decimal
    refunded: Decimal
    is_test: bool
    created_at: datetime
    cancelled_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order with its lines, refunds, fulfilments and payments, oldest first."""

    order: ListedOrder
    subtotal: Decimal | None
    tax: Decimal | None
    discounts: Decimal | None
    shipping: Decimal
    note: str | None
    tags: Sequence[str]
    lines: Sequence[Mapping[str, Any]]
    refunds: Sequence[Mapping[str, Any]]
    fulfillments: Sequence[Mapping[str, Any]]
    transactions: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ListedCustomer:
    """A customer in a list; `orders_count` and `amount_spent` are the store's own figures, in its currency."""

    id: int
    store: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    state: str
    tags: Sequence[str]
    orders_count: int
    amount_spent: Decimal
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """A customer with the addresses and the last orders, newest first, at most 50."""

    customer: ListedCustomer
    note: str | None
    locale: str
    email_marketing: str | None
    addresses: Sequence[Mapping[str, Any]]
    orders: Sequence[ListedOrder]


class RecordNotFound(NotFound):
    code = "CATALOG_001"
    title = "No such record in the mirror"


class SeveralStoresHaveIt(Conflict):
    """Ids are unique in one store only."""

    code = "CATALOG_002"
    title = "More than one store has a record of this id"


class Browse(Protocol):
    """What the mirror holds, for reading. Deleted records are not shown."""

    async def list_products(self, *, actor: Actor, query: BrowseQuery, page: PageRequest) -> Page[ListedProduct]:
        """By store and id."""
        ...

    async def get_product(self, *, actor: Actor, product_id: int, store: str | None = None) -> ProductRecord:
        """Raises `RecordNotFound`, and `SeveralStoresHaveIt` when `store` is needed to tell."""
        ...

    async def list_stock(self, *, actor: Actor, query: BrowseQuery, page: PageRequest) -> Page[StockLine]:
        """By store, inventory item and location; `since` and `until` are about the product."""
        ...

    async def list_orders(self, *, actor: Actor, query: BrowseQuery, page: PageRequest) -> Page[ListedOrder]:
        """Newest first."""
        ...

    async def get_order(self, *, actor: Actor, order_id: int, store: str | None = None) -> OrderRecord: ...

    async def list_customers(self, *, actor: Actor, query: BrowseQuery, page: PageRequest) -> Page[ListedCustomer]:
        """By store and id."""
        ...

    async def get_customer(self, *, actor: Actor, customer_id: int, store: str | None = None) -> CustomerRecord: ...
