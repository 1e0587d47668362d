"""`/api/metrics/dashboard`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from syncline.apps.commerce.contract import Commerce, StoreNotFound
from syncline.apps.commerce.dashboard_contract import Dashboard
from syncline.kernel import clock
from syncline.kernel.tenant import Actor
from syncline.runtime.http.audit import reads_people
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/metrics", tags=["dashboard"])
ROUTERS = (router,)

DEFAULT_SPAN = timedelta(days=30)


class _Camel(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True, from_attributes=True
    )


class RevenueShown(_Camel):
    currency: str
    amount: Decimal


class OrdersOfDayShown(_Camel):
    day: str
    orders: int
    revenue: Decimal


class TopCustomerShown(_Camel):
    store: str
    customer_id: int
    name: str | None
    orders: int
    spent: Decimal
    currency: str


class DashboardShown(_Camel):
    """`totalRevenue` is of the currency most was sold in, `currency`; `revenue` has them all. `webhookSuccessRate` is
    in percent, null when no webhook came."""

    total_customers: int
    total_orders: int
    total_products: int
    total_revenue: Decimal
    currency: str | None
    revenue: list[RevenueShown]
    webhook_success_rate: float | None
    orders_by_day: list[OrdersOfDayShown]
    top_customers: list[TopCustomerShown]
    period: dict[str, datetime]


@router.get("/dashboard", summary="The first page's numbers", responses=problems(StoreNotFound))
@reads_people
async def get_dashboard(
    actor: Annotated[Actor, Depends(require("customers:read"))],
    commerce: Annotated[Commerce, Depends(uses(Commerce))],
    since: Annotated[datetime | None, Query(alias="from", description="30 days before `to`, if left out")] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Now, if left out")] = None,
    store: Annotated[str | None, Query(description="Only this store")] = None,
) -> DashboardShown:
    """Customers and products are all there are; orders, revenue and webhooks are of the span. Days are in UTC."""
    end = _in_utc(until) or clock.now()
    begin = _in_utc(since) or end - DEFAULT_SPAN
    return _shown(await commerce.get_dashboard(actor=actor, since=begin, until=end, store=store))


def _in_utc(moment: datetime | None) -> datetime | None:
    """A moment without a zone is meant in UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _shown(found: Dashboard) -> DashboardShown:
    first = found.revenue[0] if found.revenue else None
    return DashboardShown(
        total_customers=found.total_customers,
        total_orders=found.total_orders,
        total_products=found.total_products,
        total_revenue=first.amount if first else Decimal(0),
        currency=first.currency if first else None,
        revenue=[RevenueShown.model_validate(one) for one in found.revenue],
        webhook_success_rate=found.webhook_success_rate,
        orders_by_day=[OrdersOfDayShown.model_validate(one) for one in found.orders_by_day],
        top_customers=[TopCustomerShown.model_validate(one) for one in found.top_customers],
        period={"from": found.since, "to": found.until},
    )
