from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, String, and_, func, select

from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.models import customer, shop_order
from syncline.apps.commerce.mirror.repository import count_kind
from syncline.apps.commerce.stores.models import store
from syncline.runtime.db.session import Session

TOP = 10


async def count(session: Session, kind: str, store_ids: Sequence[UUID]) -> int:
    return sum([await count_kind(session, one, KINDS[kind]) for one in store_ids])


def _sold(session: Session, store_ids: Sequence[UUID], since: datetime, until: datetime) -> ColumnElement[bool]:
    table = shop_order.c
    return and_(
        table.tenant_id == session.tenant_id,
        table.store_id.in_(store_ids),
        table.deleted_at.is_(None),
        table.is_test.is_(False),
        table.cancelled_at.is_(None),
        table.created_at >= since,
        table.created_at < until,
    )


async def sum_by_currency(
    session: Session, store_ids: Sequence[UUID], since: datetime, until: datetime
) -> Sequence[Row[Any]]:
    """Rows of (currency, orders, revenue), the largest first."""
    table = shop_order.c
    revenue = func.sum(table.current_total).label("revenue")
    query = select(table.currency, func.count().label("orders"), revenue)
    query = query.where(_sold(session, store_ids, since, until)).group_by(table.currency).order_by(revenue.desc())
    return (await session.execute(query)).all()


async def sum_by_day(
    session: Session, store_ids: Sequence[UUID], since: datetime, until: datetime, currency: str
) -> Sequence[Row[Any]]:
    """Rows of (day, orders, revenue); revenue of one currency, for sums of several mean nothing."""
    table = shop_order.c
    day = func.to_char(func.timezone("UTC", table.created_at), "YYYY-MM-DD", type_=String).label("day")
    revenue = func.coalesce(func.sum(table.current_total).filter(table.currency == currency), 0).label("revenue")
    query = select(day, func.count().label("orders"), revenue)
    return (
        await session.execute(query.where(_sold(session, store_ids, since, until)).group_by(day).order_by(day))
    ).all()


async def list_top_customers(
    session: Session, store_ids: Sequence[UUID], since: datetime, until: datetime, currency: str
) -> Sequence[Row[Any]]:
    """Rows of (store, customer_id, first_name, last_name, orders, spent), of one currency."""
    table, spent = shop_order.c, func.sum(shop_order.c.current_total).label("spent")
    of_customer = and_(
        customer.c.tenant_id == table.tenant_id,
        customer.c.store_id == table.store_id,
        customer.c.id == table.customer_id,
    )
    query = (
        select(
            store.c.name.label("store"),
            table.customer_id,
            customer.c.first_name,
            customer.c.last_name,
            func.count().label("orders"),
            spent,
        )
        .join(store, store.c.id == table.store_id)
        .outerjoin(customer, of_customer)
        .where(_sold(session, store_ids, since, until), table.customer_id.is_not(None), table.currency == currency)
        .group_by(store.c.name, table.customer_id, customer.c.first_name, customer.c.last_name)
        .order_by(spent.desc(), table.customer_id)
        .limit(TOP)
    )
    return (await session.execute(query)).all()
