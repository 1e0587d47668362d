"""`/api/shopify/{products,inventory,orders,customers}`: the mirror, read; and one product, changed by review."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from syncline.apps.commerce.browse.schemas import CustomerList, OrderList, ProductEdit, ProductList, StockList
from syncline.apps.commerce.browse_contract import (
    BrowseQuery,
    CustomerRecord,
    OrderRecord,
    ProductRecord,
    RecordNotFound,
    SeveralStoresHaveIt,
)
from syncline.apps.commerce.contract import ChangeBatch, Commerce, NothingToDo, StoreNotFound
from syncline.kernel.tenant import Actor
from syncline.runtime.http.audit import reads_people
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Paging, pagination, uses
from syncline.runtime.http.problems import problems

catalog = APIRouter(prefix="/api/shopify", tags=["catalog"])
ROUTERS = (catalog,)

_ONE = problems(StoreNotFound, RecordNotFound, SeveralStoresHaveIt)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
CatalogReader = Annotated[Actor, Depends(require("catalog:read"))]
OrderReader = Annotated[Actor, Depends(require("orders:read"))]
CustomerReader = Annotated[Actor, Depends(require("customers:read"))]
Stager = Annotated[Actor, Depends(require("changes:stage"))]

StoreName = Annotated[str | None, Query(description="Only this store; needed where two have the same id")]
Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="The store's own id")]


def _query(
    store: Annotated[str | None, Query(description="Only this store")] = None,
    since: Annotated[
        datetime | None, Query(alias="from", description="Made in the store at this moment or later")
    ] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Made in the store before this moment")] = None,
    search: Annotated[
        str,
        Query(
            description="The search syntax for products and stock; else pieces of a name or an address",
            examples=["vendor:Acme status:active"],
            max_length=2_000,
        ),
    ] = "",
) -> BrowseQuery:
    return BrowseQuery(store=store, since=_in_utc(since), until=_in_utc(until), search=search)


def _in_utc(moment: datetime | None) -> datetime | None:
    """A moment without a zone is meant in UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


Queried = Annotated[BrowseQuery, Depends(_query)]


@catalog.get("/products", summary="List products", responses=problems(StoreNotFound))
async def list_products(actor: CatalogReader, commerce: Commerced, query: Queried, paging: Paging) -> ProductList:
    """Of the mirror, by store and id, with prices and stock summed over their variants."""
    page = await commerce.list_products(actor=actor, query=query, page=paging)
    return ProductList(products=list(page.items), pagination=pagination(page))


@catalog.get("/products/{product_id}", summary="Show a product", responses=_ONE)
async def get_product(
    product_id: Number, actor: CatalogReader, commerce: Commerced, store: StoreName = None
) -> ProductRecord:
    """With variants, stock, images, metafields and collections."""
    return await commerce.get_product(actor=actor, product_id=product_id, store=store)


@catalog.put(
    "/products/{product_id}",
    status_code=201,
    summary="Stage a change of a product",
    responses={**_ONE, **problems(NothingToDo)},
)
async def edit_product(
    product_id: Number, body: ProductEdit, actor: Stager, commerce: Commerced, store: StoreName = None
) -> ChangeBatch:
    """Nothing is written to the store: the differences wait for review."""
    found = await commerce.get_product(actor=actor, product_id=product_id, store=store)
    return await commerce.stage_edit(
        actor=actor, store=found.store, where=f"id:{product_id}", edits=body.edits, note=body.note
    )


@catalog.get("/inventory", summary="List stock", responses=problems(StoreNotFound))
async def list_stock(actor: CatalogReader, commerce: Commerced, query: Queried, paging: Paging) -> StockList:
    """One line for each variant and active location."""
    page = await commerce.list_stock(actor=actor, query=query, page=paging)
    return StockList(inventory=list(page.items), pagination=pagination(page))


@catalog.get("/orders", summary="List orders", responses=problems(StoreNotFound))
@reads_people
async def list_orders(actor: OrderReader, commerce: Commerced, query: Queried, paging: Paging) -> OrderList:
    """Newest first."""
    page = await commerce.list_orders(actor=actor, query=query, page=paging)
    return OrderList(orders=list(page.items), pagination=pagination(page))


@catalog.get("/orders/{order_id}", summary="Show an order", responses=_ONE)
@reads_people
async def get_order(order_id: Number, actor: OrderReader, commerce: Commerced, store: StoreName = None) -> OrderRecord:
    """With lines, refunds, fulfilments and payments."""
    return await commerce.get_order(actor=actor, order_id=order_id, store=store)


@catalog.get("/customers", summary="List customers", responses=problems(StoreNotFound))
@reads_people
async def list_customers(actor: CustomerReader, commerce: Commerced, query: Queried, paging: Paging) -> CustomerList:
    """By store and id."""
    page = await commerce.list_customers(actor=actor, query=query, page=paging)
    return CustomerList(customers=list(page.items), pagination=pagination(page))


@catalog.get("/customers/{customer_id}", summary="Show a customer", responses=_ONE)
@reads_people
async def get_customer(
    customer_id: Number, actor: CustomerReader, commerce: Commerced, store: StoreName = None
) -> CustomerRecord:
    """With addresses and the last orders."""
    return await commerce.get_customer(actor=actor, customer_id=customer_id, store=store)
