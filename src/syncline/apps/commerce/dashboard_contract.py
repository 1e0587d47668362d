"""The part of the contract that is about the first page's numbers. `Commerce` has this method too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from syncline.kernel.tenant import Actor


@dataclass(frozen=True, slots=True)
class Revenue:
    """What orders of the span come to by now, less what was refunded, without test and cancelled orders."""

    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OrdersOfDay:
    """`day` in UTC, `2026-11-22`."""

    day: str
    orders: int
    revenue: Decimal


@dataclass(frozen=True, slots=True)
class TopCustomer:
    store: str
    customer_id: int
    name: str | None
    orders: int
    spent: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Customers and products are all there are; orders, revenue and webhooks are of the span. `webhook_success_rate`
    is in percent, None when none came."""

    since: datetime
    until: datetime
    total_customers: int
    total_orders: int
    total_products: int
    revenue: Sequence[Revenue]
    webhook_success_rate: float | None
    orders_by_day: Sequence[OrdersOfDay]
    top_customers: Sequence[TopCustomer]


class Dashboards(Protocol):
    async def get_dashboard(
        self, *, actor: Actor, since: datetime, until: datetime, store: str | None = None
    ) -> Dashboard:
        """Of one store or of all. Raises `StoreNotFound`, and `InvalidInput` when the span ends before it begins."""
        ...
