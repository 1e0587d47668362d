"""Orders and customers out of the mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Table, select

from syncline.apps.commerce.browse.reading import Shelf, has_words, is_live, page_of, rows_of, was_made
from syncline.apps.commerce.browse_contract import (
    BrowseQuery,
    CustomerRecord,
    ListedCustomer,
    ListedOrder,
    OrderRecord,
)
from syncline.apps.commerce.mirror.models import (
    customer,
    customer_address,
    fulfillment,
    order_line,
    order_transaction,
    refund,
    shop_order,
)
from syncline.kernel.paging import Page, PageRequest
from syncline.runtime.db.session import Session

LAST_ORDERS = 50
_OURS = frozenset({"store_id", "tenant_id", "line_hash", "content_hash", "synced_at", "deleted_at"})
"""Columns that are about the mirror and not about the record."""

_ORDER = (
    *("id", "name", "email", "customer_id", "financial_status", "fulfillment_status", "currency", "total", "refunded"),
    *("is_test", "created_at", "cancelled_at"),
)
_CUSTOMER = ("id", "first_name", "last_name", "email", "phone", "state", "tags", "orders_count", "amount_spent")


def _order(row: RowMapping, shelf: Shelf) -> ListedOrder:
    return ListedOrder(
        store=shelf.names[row["store_id"]],
        **{name: row[name] for name in _ORDER},
        updated_at=row["source_updated_at"],
    )


def _customer(row: RowMapping, shelf: Shelf) -> ListedCustomer:
    return ListedCustomer(
        store=shelf.names[row["store_id"]],
        **{name: row[name] for name in _CUSTOMER},
        created_at=row["created_at"],
        updated_at=row["source_updated_at"],
    )


async def list_orders(session: Session, shelf: Shelf, query: BrowseQuery, page: PageRequest) -> Page[ListedOrder]:
    chosen = select(shop_order).where(
        is_live(session, shop_order, shelf),
        was_made(query, shop_order.c.created_at),
        has_words(query, shop_order.c.name, shop_order.c.email),
    )
    rows, total = await page_of(session, chosen, (shop_order.c.created_at.desc(), shop_order.c.id.desc()), page)
    return Page([_order(row, shelf) for row in rows], total, page.page, page.limit)


async def list_customers(session: Session, shelf: Shelf, query: BrowseQuery, page: PageRequest) -> Page[ListedCustomer]:
    chosen = select(customer).where(
        is_live(session, customer, shelf),
        was_made(query, customer.c.created_at),
        has_words(query, customer.c.first_name, customer.c.last_name, customer.c.email, customer.c.phone),
    )
    rows, total = await page_of(session, chosen, (customer.c.store_id, customer.c.id), page)
    return Page([_customer(row, shelf) for row in rows], total, page.page, page.limit)


async def find_orders(session: Session, shelf: Shelf, order_id: int) -> Sequence[RowMapping]:
    """One for each store that has it."""
    query = select(shop_order).where(is_live(session, shop_order, shelf), shop_order.c.id == order_id)
    return (await session.execute(query)).mappings().all()


async def find_customers(session: Session, shelf: Shelf, customer_id: int) -> Sequence[RowMapping]:
    """One for each store that has him."""
    query = select(customer).where(is_live(session, customer, shelf), customer.c.id == customer_id)
    return (await session.execute(query)).mappings().all()


async def order_record(session: Session, shelf: Shelf, row: RowMapping) -> OrderRecord:
    store_id, number = row["store_id"], row["id"]
    lines = await rows_of(
        session,
        order_line,
        order_line.c.store_id == store_id,
        order_line.c.order_id == number,
        order_line.c.deleted_at.is_(None),
        order=(order_line.c.id,),
    )
    names = ("subtotal", "tax", "discounts", "shipping", "note", "tags")
    return OrderRecord(
        order=_order(row, shelf),
        **{name: row[name] for name in names},
        lines=[_shown(line, "order_id", "source_updated_at") for line in lines],
        refunds=await _parts(session, refund, "order_id", store_id, number),
        fulfillments=await _parts(session, fulfillment, "order_id", store_id, number),
        transactions=await _parts(session, order_transaction, "order_id", store_id, number),
    )


async def customer_record(session: Session, shelf: Shelf, row: RowMapping) -> CustomerRecord:
    store_id, number = row["store_id"], row["id"]
    orders = (
        select(shop_order)
        .where(
            is_live(session, shop_order, Shelf({store_id: ""})),
            shop_order.c.customer_id == number,
        )
        .order_by(shop_order.c.created_at.desc(), shop_order.c.id.desc())
        .limit(LAST_ORDERS)
    )
    return CustomerRecord(
        customer=_customer(row, shelf),
        **{name: row[name] for name in ("note", "locale", "email_marketing")},
        addresses=await _parts(session, customer_address, "customer_id", store_id, number),
        orders=[_order(one, shelf) for one in (await session.execute(orders)).mappings()],
    )


async def _parts(
    session: Session, table: Table, owner: str, store_id: UUID, number: int
) -> Sequence[Mapping[str, Any]]:
    rows = await rows_of(session, table, table.c.store_id == store_id, table.c[owner] == number, order=(table.c.id,))
    return [_shown(row, owner) for row in rows]


def _shown(row: RowMapping, *left_out: str) -> Mapping[str, Any]:
    return {name: value for name, value in row.items() if name not in _OURS and name not in left_out}
