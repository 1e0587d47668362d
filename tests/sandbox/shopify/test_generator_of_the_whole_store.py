"""Generated orders, customers, collections, media and metafields."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import pytest

from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.generator_sales import NEWEST, SPAN_SECONDS
from syncline.sandbox.shopify.metafield_values import is_type, suits
from syncline.sandbox.shopify.state import Store

ASKED: dict[str, Any] = {
    "orders": 3000,
    "customers": 1000,
    "collections": 12,
    "media_per_product": 1.5,
    "metafields_per_product": 2.0,
}


def made(seed: int = 1, **asked: Any) -> Store:
    store = Store()
    generate(store, 100, seed=seed, **asked)
    return store


@pytest.fixture(scope="module")
def store() -> Store:
    return made(**ASKED)


def test_what_is_asked_for_is_made(store: Store) -> None:
    sales = store.sales
    assert (len(sales.orders), len(sales.customers), len(store.collections.by_id)) == (3000, 1000, 12)
    assert 100 < sum(1 for _ in store.media.shown()) < 200
    owners = Counter(one.owner_type for one in store.metafields.by_id.values())
    assert owners == {
        "Product": 200,
        "ProductVariant": owners["ProductVariant"],
        "Collection": 2,
        "Customer": 100,
        "Order": 300,
    }
    assert 150 < owners["ProductVariant"] < 300


def test_nothing_is_made_unasked_and_the_products_are_the_same() -> None:
    plain, full = made(), made(**ASKED)
    assert (plain.sales.orders, plain.sales.customers, plain.collections.by_id) == ({}, {}, {})
    assert (plain.media.by_id, plain.metafields.by_id) == ({}, {})
    assert [asdict(one) for one in plain.products.values()] == [asdict(one) for one in full.products.values()]


def test_a_seed_gives_the_same_orders_and_another_seed_others(store: Store) -> None:
    again, other = made(**ASKED), made(seed=2, **ASKED)
    for table in ("orders", "customers"):
        first, second, third = (
            [asdict(one) for one in list(getattr(each.sales, table).values())[:300]] for each in (store, again, other)
        )
        assert first == second
        assert first != third
    assert list(store.collections.memberships()) == list(again.collections.memberships())
    assert list(map(asdict, store.metafields.by_id.values())) == list(map(asdict, again.metafields.by_id.values()))


def test_every_state_of_an_order_is_there(store: Store) -> None:
    orders = store.sales.orders.values()
    assert {order.financial_status for order in orders} == {
        "AUTHORIZED", "PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "PENDING", "REFUNDED", "VOIDED",
    }  # fmt: skip
    assert {order.fulfillment_status for order in orders} == {"FULFILLED", "PARTIALLY_FULFILLED", "UNFULFILLED"}
    assert any(len(order.fulfillments) > 1 for order in orders)
    assert any(order.cancelled_at for order in orders)
    assert any(one.status == "FAILURE" for order in orders for one in order.transactions)
    assert any(order.test for order in orders)
    assert any(order.presentment_currency != order.currency for order in orders)


def test_amounts_hold_together(store: Store) -> None:
    for order in store.sales.orders.values():
        assert 0 <= order.current_total_minor <= order.total_minor
        assert order.refunded_minor <= order.received_minor <= order.total_minor
        assert all(0 <= line.current_quantity <= line.quantity for line in order.lines)
    assert all(order.current_total_minor == 0 for order in store.sales.orders.values() if order.cancelled_at)


def test_times_lie_in_two_years_and_in_order(store: Store) -> None:
    numbers = [order.number for order in store.sales.orders.values()]
    times = [order.created_at for order in store.sales.orders.values()]
    assert (times, numbers) == (sorted(times), list(range(1001, 4001)))
    assert (NEWEST - times[0]).total_seconds() <= SPAN_SECONDS
    assert max(times) - min(times) > (NEWEST - min(times)) * 0.9
    assert all(one.created_at <= one.updated_at <= NEWEST for one in store.sales.orders.values())
    assert all(one.created_at <= one.updated_at <= NEWEST for one in store.sales.customers.values())


def test_dirt_of_orders(store: Store) -> None:
    sales = store.sales
    orders, lines = sales.orders.values(), sales.lines.values()
    assert any(order.customer_id is None for order in orders)
    assert any(order.customer_id is not None and sales.customer_of(order) is None for order in orders)
    assert any(line.variant_id is not None and line.variant_id not in store.variants for line in lines)
    assert any(line.variant_id is None for line in lines)
    assert any(line.unit_price_minor == 0 for line in lines)
    assert any(line.discount_minor for line in lines)
    assert any(order.email is None for order in orders)
    assert any(order.note and "\r\n" in order.note for order in orders)


def test_dirt_of_customers(store: Store) -> None:
    customers = store.sales.customers.values()
    assert any(one.email is None for one in customers)
    assert any(one.first_name is None and one.last_name is None for one in customers)
    assert any(not one.addresses for one in customers)
    assert any(len(one.addresses) > 1 for one in customers)
    assert any(address.country is None for one in customers for address in one.addresses)
    assert any(not (one.first_name or "").isascii() for one in customers)
    counts = [len(store.sales.orders_of_customer.get(one.id, ())) for one in customers]
    assert min(counts) == 0
    assert max(counts) > 10


def test_collections_are_manual_smart_and_empty(store: Store) -> None:
    kinds = Counter(one.rules is not None for one in store.collections.by_id.values())
    assert kinds == {False: 8, True: 4}
    for number in store.collections.by_id:
        assert set(store.collections.members[number]) <= set(store.products)


def test_some_files_are_shown_twice_and_all_kinds_are_there(store: Store) -> None:
    shown = Counter(one["media_id"] for one in store.media.shown())
    assert max(shown.values()) == 2
    assert {one.content_type for one in store.media.by_id.values()} == {"IMAGE", "VIDEO", "EXTERNAL_VIDEO", "MODEL_3D"}
    assert {one.status for one in store.media.by_id.values()} == {"READY", "FAILED"}


def test_generated_metafields_suit_their_types(store: Store) -> None:
    found = store.metafields.by_id.values()
    assert all(is_type(one.type) and suits(one.type, one.value) for one in found)
    places = [(one.owner_type, one.owner_id, one.namespace, one.key) for one in found]
    assert len(set(places)) == len(places)


def test_orders_are_made_without_products_or_customers() -> None:
    store = Store()
    generate(store, 0, orders=20)
    assert len(store.sales.orders) == 20
    assert all(line.variant_id is None for line in store.sales.lines.values())
