"""The part of the local `Commerce` that is about the first page's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from syncline.apps.commerce.dashboard import repository
from syncline.apps.commerce.dashboard_contract import Dashboard, OrdersOfDay, Revenue, TopCustomer
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import repository as store_repository
from syncline.apps.commerce.stores import service as stores
from syncline.apps.commerce.webhook_management.service import success_between
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalDashboards:
    runtime: Runtime
    settings: CommerceSettings

    async def get_dashboard(
        self, *, actor: Actor, since: datetime, until: datetime, store: str | None = None
    ) -> Dashboard:
        if until <= since:
            raise InvalidInput("The span ends before it begins: `to` must be later than `from`.")
        async with self.runtime.database.reading(actor.tenant_id) as session:
            rows = await store_repository.list_all(session) if store is None else [await stores.get(session, store)]
            ids = [row.store.id for row in rows]
            sums = await repository.sum_by_currency(session, ids, since, until)
            currency = sums[0].currency if sums else ""
            days = await repository.sum_by_day(session, ids, since, until, currency)
            top = await repository.list_top_customers(session, ids, since, until, currency)
            only = ids[0] if store is not None else None
            return Dashboard(
                since=since,
                until=until,
                total_customers=await repository.count(session, "customer", ids),
                total_orders=sum(row.orders for row in sums),
                total_products=await repository.count(session, "product", ids),
                revenue=[Revenue(row.currency, row.revenue) for row in sums],
                webhook_success_rate=await success_between(session, since=since, until=until, store_id=only),
                orders_by_day=[OrdersOfDay(row.day, row.orders, row.revenue) for row in days],
                top_customers=[
                    TopCustomer(
                        row.store,
                        row.customer_id,
                        " ".join(part for part in (row.first_name, row.last_name) if part) or None,
                        row.orders,
                        row.spent,
                        currency,
                    )
                    for row in top
                ],
            )
