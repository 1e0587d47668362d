"""The part of the local `Commerce` that reads the mirror."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from syncline.apps.commerce.browse import products, sales
from syncline.apps.commerce.browse.reading import Shelf
from syncline.apps.commerce.browse_contract import (
    BrowseQuery,
    CustomerRecord,
    ListedCustomer,
    ListedOrder,
    ListedProduct,
    OrderRecord,
    ProductRecord,
    RecordNotFound,
    SeveralStoresHaveIt,
    StockLine,
)
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores import service as stores
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session


@dataclass(frozen=True)
class LocalBrowse:
    runtime: Runtime
    settings: CommerceSettings

    async def list_products(self, *, actor: Actor, query: BrowseQuery, page: PageRequest) -> Page[ListedProduct]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await products.list_products(session, await _shelf(session, query.store), query, page)

    async def get_product(self, *, actor: Actor, product_id: int, store: str | None = None) -> ProductRecord:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            shelf = await _shelf(session, store)
            found = await products.find_products(session, shelf, product_id)
            return await products.product_record(session, shelf, _only(found, shelf, f"product {product_id}"))

    async def list_stock(self, *, actor: Actor, query: BrowseQuery, page: PageRequest) -> Page[StockLine]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await products.list_stock(session, await _shelf(session, query.store), query, page)

    async def list_orders(self, *, actor: Actor, query: BrowseQuery, page: PageRequest) -> Page[ListedOrder]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await sales.list_orders(session, await _shelf(session, query.store), query, page)

    async def get_order(self, *, actor: Actor, order_id: int, store: str | None = None) -> OrderRecord:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            shelf = await _shelf(session, store)
            found = await sales.find_orders(session, shelf, order_id)
            return await sales.order_record(session, shelf, _only(found, shelf, f"order {order_id}"))

    async def list_customers(self, *, actor: Actor, query: BrowseQuery, page: PageRequest) -> Page[ListedCustomer]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await sales.list_customers(session, await _shelf(session, query.store), query, page)

    async def get_customer(self, *, actor: Actor, customer_id: int, store: str | None = None) -> CustomerRecord:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            shelf = await _shelf(session, store)
            found = await sales.find_customers(session, shelf, customer_id)
            return await sales.customer_record(session, shelf, _only(found, shelf, f"customer {customer_id}"))


async def _shelf(session: Session, store: str | None) -> Shelf:
    if store is not None:
        row = (await stores.get(session, store)).store
        return Shelf({row.id: row.name})
    return Shelf({row.store.id: row.store.name for row in await repository.list_all(session)})


def _only(found: Sequence[RowMapping], shelf: Shelf, what: str) -> RowMapping:
    if not found:
        raise RecordNotFound(f"The mirror has no {what}; pull the store if it was made lately.")
    if len(found) > 1:
        names = ", ".join(sorted(shelf.names[row["store_id"]] for row in found))
        raise SeveralStoresHaveIt(f"{names} each have a {what}; add ?store=NAME.")
    return found[0]
