"""The first page's numbers, counted from the mirror and from the webhooks that came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.apps.commerce.webhooks.conftest import Hooked, hooked, make_client, shop

from syncline.kernel import clock
from syncline.sandbox.shopify.edits import apply_edit

__all__ = ["hooked", "make_client", "shop"]

Call = Callable[..., Awaitable[httpx.Response]]
DASHBOARD = "/api/metrics/dashboard"


@pytest.fixture
async def sold(hooked: Hooked) -> Hooked:
    """Two orders of one customer, of 40.00 and 9.00, one cancelled, one a test."""
    store = hooked.shop.store
    shirt, mug = hooked.shop.variant("SHIRT-S"), store.variants[hooked.product("mug").variant_ids[0]]
    buyer = store.sales.add_customer(first_name="Ada", last_name="Byron", email="ada@example.com")

    def order(variant: Any, quantity: int, **more: Any) -> dict[str, Any]:
        lines = [{"variant": variant.id, "quantity": quantity}]
        return apply_edit(store, {"action": "create", "kind": "order", "set": {"lines": lines, **more}})

    order(shirt, 2, customer=buyer.id)
    order(mug, 1, customer=buyer.id)
    order(mug, 5, test=True)
    apply_edit(store, {"action": "cancel", "kind": "order", "id": order(shirt, 1)["id"], "set": {}})
    await hooked.pulled.pull()
    return hooked


async def test_what_there_is_and_what_was_sold(sold: Hooked, call: Call) -> None:
    answer = await call("GET", DASHBOARD, role="analyst")
    found = answer.json()
    assert answer.status_code == 200, found
    counted = {name: found[name] for name in ("totalCustomers", "totalOrders", "totalProducts", "currency")}
    assert counted == {"totalCustomers": 1, "totalOrders": 2, "totalProducts": 3, "currency": "USD"}
    assert float(found["totalRevenue"]) == 49.0
    assert [(one["orders"], float(one["revenue"])) for one in found["ordersByDay"]] == [(2, 49.0)]
    (top,) = found["topCustomers"]
    assert (top["name"], top["orders"], float(top["spent"]), top["store"]) == ("Ada Byron", 2, 49.0, "demo")
    assert found["webhookSuccessRate"] is None


async def test_webhooks_that_came_are_counted(sold: Hooked, call: Call) -> None:
    await sold.send("products/update", sold.payload("mug"))
    await sold.send("products/update", b'{"id": ')
    await sold.work()
    assert (await call("GET", DASHBOARD)).json()["webhookSuccessRate"] == 50.0


async def test_another_span_holds_none_of_it(sold: Hooked, call: Call) -> None:
    until = (clock.now() - timedelta(days=40)).isoformat()
    found = (await call("GET", DASHBOARD, params={"to": until})).json()
    assert (found["totalOrders"], found["ordersByDay"], found["topCustomers"]) == (0, [], [])
    assert found["period"]["to"].startswith(until[:10])
    backwards = await call("GET", DASHBOARD, params={"from": clock.now().isoformat(), "to": until})
    assert backwards.status_code == 400


async def test_a_stranger_sees_nothing_and_who_may_not_see_people_is_refused(sold: Hooked, call: Call) -> None:
    theirs = (await call("GET", DASHBOARD, tenant="other")).json()
    assert (theirs["totalProducts"], theirs["topCustomers"]) == (0, [])
    assert (await call("GET", DASHBOARD, params={"store": "demo"}, tenant="other")).status_code == 404
    assert (await call("GET", DASHBOARD, role="viewer")).status_code == 403
    assert (await call("GET", DASHBOARD, role=None)).status_code == 401
