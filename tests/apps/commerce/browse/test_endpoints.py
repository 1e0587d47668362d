"""Every endpoint that reads the mirror: who may call it, what it answers, every error it declares."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from syncline.apps.commerce.browse.endpoints import ROUTERS
from syncline.apps.commerce.contract import PullMode, Store
from syncline.kernel.tenant import PERMISSIONS, all_permissions
from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.state import Store as SandboxStore

BASE = "/api/shopify"
ENDPOINTS: dict[str, tuple[Any, str]] = {
    f"GET {BASE}/products": (None, "catalog:read"),
    f"GET {BASE}/products/{{product_id}}": (None, "catalog:read"),
    f"PUT {BASE}/products/{{product_id}}": ({"edits": ["title=New"]}, "changes:stage"),
    f"GET {BASE}/inventory": (None, "catalog:read"),
    f"GET {BASE}/orders": (None, "orders:read"),
    f"GET {BASE}/orders/{{order_id}}": (None, "orders:read"),
    f"GET {BASE}/customers": (None, "customers:read"),
    f"GET {BASE}/customers/{{customer_id}}": (None, "customers:read"),
}
LISTS = sorted(address.split(" ")[1] for address in ENDPOINTS if "{" not in address)
ONES = sorted(address for address in ENDPOINTS if "{" in address)
Call = Callable[..., Awaitable[httpx.Response]]


def filled(address: str) -> tuple[str, str]:
    method, path = re.sub(r"\{\w+_id\}", "404", address).split(" ")
    return method, path


def sales(store: SandboxStore) -> None:
    generate(store, products=30, orders=40, customers=25, seed=7)


@pytest.fixture
async def sold(open_shop: Any, make_pulled: Any) -> SandboxStore:
    """A shop with orders and customers, whose mirror is up to date."""
    pulled = await make_pulled(await open_shop(fill=sales))
    shop: SandboxStore = pulled.shop.store
    return shop


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_each_role_may_what_it_holds_and_nothing_else(call: Call, address: str) -> None:
    body, permission = ENDPOINTS[address]
    method, path = filled(address)
    assert permission in all_permissions()
    assert (await call(method, path, role=None, json=body)).status_code == 401
    for role, granted in PERMISSIONS.items():
        answer = await call(method, path, role=role, json=body)
        assert (answer.status_code == 403) == (not granted & {permission, "*"}), role


@pytest.mark.parametrize("path", LISTS)
async def test_an_empty_tenant_has_empty_lists(call: Call, path: str) -> None:
    answer = await call("GET", path)
    assert answer.status_code == 200
    items, pagination = answer.json().values()
    assert items == []
    assert (pagination["totalItems"], pagination["totalPages"], pagination["hasNextPage"]) == (0, 0, False)


@pytest.mark.parametrize("path", LISTS)
async def test_a_store_nobody_connected_is_404(call: Call, path: str) -> None:
    answer = await call("GET", path, params={"store": "nope"})
    assert (answer.status_code, answer.json()["code"]) == (404, "STORE_001")


@pytest.mark.parametrize("address", ONES)
async def test_a_record_that_is_not_there_is_404_and_says_what_to_do(call: Call, address: str) -> None:
    method, path = filled(address)
    answer = await call(method, path, json=ENDPOINTS[address][0])
    assert (answer.status_code, answer.json()["code"]) == (404, "CATALOG_001")
    assert "pull the store" in answer.json()["error"]


@pytest.mark.parametrize(
    "params",
    [{"page": 0}, {"limit": 101}, {"from": "yesterday"}, {"to": "2026-13-01"}, {"search": "vendor:"}, {"page": "x"}],
)
async def test_what_is_not_clear_is_refused_with_a_sentence(call: Call, params: dict[str, Any]) -> None:
    answer = await call("GET", f"{BASE}/products", params=params)
    assert answer.status_code in {400, 422}
    assert answer.json()["success"] is False
    assert answer.json()["error"]


async def test_the_lists_hold_each_record_of_the_shop_once(call: Call, sold: SandboxStore) -> None:
    expected = {
        "products": {one.id for one in sold.products.values()},
        "orders": {one.id for one in sold.sales.orders.values()},
        "customers": {one.id for one in sold.sales.customers.values()},
    }
    for name, ids in expected.items():
        found: list[int] = []
        for page in (1, 2, 3, 4):
            answer = await call("GET", f"{BASE}/{name}", params={"page": page, "limit": 12})
            assert answer.json()["pagination"]["totalItems"] == len(ids)
            found += [one["id"] for one in answer.json()[name]]
        assert sorted(found) == sorted(ids), name


async def test_stock_is_listed_by_location(call: Call, sold: SandboxStore) -> None:
    active = {one.id for one in sold.locations.values() if one.is_active}
    levels = {key: level.available for key, level in sold.levels.items() if key[1] in active}
    answer = await call("GET", f"{BASE}/inventory", params={"limit": 100})
    assert answer.json()["pagination"]["totalItems"] == len(levels)
    for line in answer.json()["inventory"]:
        assert line["available"] == levels[line["inventory_item_id"], line["location_id"]]


async def test_orders_come_newest_first_within_the_span_asked_for(call: Call, sold: SandboxStore) -> None:
    moments = sorted(one.created_at for one in sold.sales.orders.values())
    span = {"from": moments[10].isoformat(), "to": moments[30].isoformat(), "limit": 100}
    answer = await call("GET", f"{BASE}/orders", params=span)
    found = [one["created_at"] for one in answer.json()["orders"]]
    assert len(found) == sum(moments[10] <= moment < moments[30] for moment in moments)
    assert found == sorted(found, reverse=True)


async def test_an_order_comes_with_all_that_hangs_on_it(call: Call, sold: SandboxStore) -> None:
    order = max(sold.sales.orders.values(), key=lambda one: len(one.lines))
    answer = (await call("GET", f"{BASE}/orders/{order.id}")).json()
    assert answer["order"]["name"] == order.name
    assert {line["id"] for line in answer["lines"]} == {line.id for line in order.lines}
    assert {one["id"] for one in answer["transactions"]} == {one.id for one in order.transactions}
    assert not {"tenant_id", "store_id", "line_hash"} & set(answer["lines"][0])


async def test_a_customer_comes_with_addresses_and_orders(call: Call, sold: SandboxStore) -> None:
    buyers = [one.customer_id for one in sold.sales.orders.values() if one.customer_id is not None]
    customer = sold.sales.customers[max(buyers, key=buyers.count)]
    answer = (await call("GET", f"{BASE}/customers/{customer.id}")).json()
    assert answer["customer"]["email"] == customer.email
    assert {one["id"] for one in answer["addresses"]} == {one.id for one in customer.addresses}
    assert len(answer["orders"]) == buyers.count(customer.id)


async def test_a_product_comes_whole_and_is_changed_by_review(call: Call, pulled: Any) -> None:
    shirt = next(one for one in pulled.shop.store.products.values() if one.handle == "linen-shirt")
    answer = (await call("GET", f"{BASE}/products/{shirt.id}")).json()
    assert [one["sku"] for one in answer["variants"]] == ["SHIRT-S", "SHIRT-M"]
    assert answer["variants"][0]["available"] == {"Main warehouse": 10, "Flagship store": 3}
    staged = await call("PUT", f"{BASE}/products/{shirt.id}", json={"edits": ["title=Linen Blouse"]})
    assert (staged.status_code, staged.json()["counts"]) == (201, {"pending": 1})
    assert shirt.title == "Linen Shirt"
    again = await call("PUT", f"{BASE}/products/{shirt.id}", json={"edits": ["vendor=Acme"]})
    assert (again.status_code, again.json()["code"]) == (409, "CHANGE_004")


async def test_a_product_in_a_list_has_its_prices_and_stock(call: Call, pulled: Any) -> None:
    answer = await call("GET", f"{BASE}/products", params={"search": "vendor:Acme"})
    (shirt,) = answer.json()["products"]
    assert (shirt["min_price"], shirt["max_price"], shirt["available"]) == ("20.00", "22.00", 14)


@pytest.mark.parametrize("path", LISTS)
async def test_another_tenant_sees_nothing_of_it(call: Call, sold: SandboxStore, path: str) -> None:
    assert (await call("GET", path)).json()["pagination"]["totalItems"] > 0
    assert (await call("GET", path, tenant="other")).json()["pagination"]["totalItems"] == 0
    for name, records in (("orders", sold.sales.orders), ("customers", sold.sales.customers)):
        number = next(iter(records))
        assert (await call("GET", f"{BASE}/{name}/{number}", tenant="other")).status_code == 404


async def test_an_id_that_two_stores_have_asks_which(call: Call, pulled: Any) -> None:
    second: Store = await pulled.commerce.add_store(
        actor=pulled.actor,
        name="second",
        shop_domain="second.myshopify.com",
        token=pulled.shop.web.state.engine.world.options.token,
        base_url=pulled.shop.url,
    )
    await pulled.commerce.start_pull(actor=pulled.actor, store=second.name, mode=PullMode.FULL)
    await pulled.work()
    number = next(iter(pulled.shop.store.products))
    answer = await call("GET", f"{BASE}/products/{number}")
    assert (answer.status_code, answer.json()["code"]) == (409, "CATALOG_002")
    assert "demo, second" in answer.json()["error"]
    assert (await call("GET", f"{BASE}/products/{number}", params={"store": "second"})).json()["store"] == "second"
