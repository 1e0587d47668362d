"""A merchant's edits of customers and orders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from syncline.kernel import clock
from syncline.sandbox.shopify.edits import EditError, apply_edit
from syncline.sandbox.shopify.entities_sales import Customer, Order
from syncline.sandbox.shopify.state import Store

LATER = datetime.fromisoformat("2100-11-05T12:00:00Z")
SHIRT = 41000000000001


@pytest.fixture
def ada(shop: Store) -> Customer:
    fields = {"first_name": "Ada", "email": "ada@example.com", "addresses": [{"city": "Oslo"}]}
    made = apply_edit(shop, {"action": "create", "kind": "customer", "set": fields})
    return shop.sales.customers[made["id"]]


@pytest.fixture
def order(shop: Store, ada: Customer) -> Order:
    """Two shirts at 20.00 and a mug of another maker at 5.00, paid."""
    lines = [{"variant": SHIRT, "quantity": 2}, {"title": "Engraving", "unit_price_minor": 500}]
    made = apply_edit(shop, {"action": "create", "kind": "order", "set": {"customer": ada.id, "lines": lines}})
    return shop.sales.orders[made["id"]]


def edit(shop: Store, action: str, order: Order, **fields: Any) -> None:
    apply_edit(shop, {"action": action, "kind": "order", "id": order.id, "set": fields})


def test_a_new_order_is_paid_and_counted(shop: Store, order: Order, ada: Customer) -> None:
    assert (order.name, order.total_minor, order.financial_status) == ("#1001", 4500, "PAID")
    assert [(line.title, line.sku, line.original_minor) for line in order.lines] == [
        ("Linen Shirt", "SHIRT-S", 4000),
        ("Engraving", None, 500),
    ]
    assert (shop.sales.spent_minor(ada.id), order.email) == (4500, "ada@example.com")


def test_an_order_is_fulfilled_in_parts(shop: Store, order: Order) -> None:
    shirt = str(order.lines[0].id)
    edit(shop, "fulfill", order, lines={shirt: 1}, tracking="RR1")
    assert (order.fulfillment_status, order.fulfillments[0].tracking[0].number) == ("PARTIALLY_FULFILLED", "RR1")
    edit(shop, "fulfill", order)
    assert (order.fulfillment_status, order.fulfillments[1].total_quantity) == ("FULFILLED", 2)


def test_a_refund_takes_pieces_off_and_pays_back(shop: Store, order: Order) -> None:
    edit(shop, "refund", order, lines={str(order.lines[0].id): 1}, note="torn")
    assert (order.financial_status, order.refunded_minor, order.current_total_minor) == (
        "PARTIALLY_REFUNDED",
        2000,
        2500,
    )
    assert (order.lines[0].quantity, order.lines[0].current_quantity) == (2, 1)
    refund = order.transactions[-1]
    assert (refund.kind, refund.amount_minor, refund.parent_id) == ("REFUND", 2000, order.transactions[0].id)


def test_cancelling_pays_everything_back(shop: Store, order: Order, ada: Customer) -> None:
    edit(shop, "cancel", order, reason="FRAUD")
    assert (order.cancel_reason, order.financial_status, order.current_total_minor) == ("FRAUD", "REFUNDED", 0)
    assert (order.cancelled_at, shop.sales.spent_minor(ada.id)) == (order.updated_at, 0)


def test_an_unpaid_order_is_paid_later(shop: Store) -> None:
    lines = [{"title": "Rug", "unit_price_minor": 9000}]
    made = apply_edit(shop, {"action": "create", "kind": "order", "set": {"lines": lines, "paid": False}})
    order = shop.sales.orders[made["id"]]
    assert order.financial_status == "PENDING"
    edit(shop, "pay", order, amount_minor=1000)
    assert order.financial_status == "PARTIALLY_PAID"
    edit(shop, "pay", order)
    assert (order.financial_status, order.received_minor) == ("PAID", 9000)


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("fulfill", {}),
        ("refund", {}),
        ("cancel", {"reason": "OTHER"}),
        ("pay", {"amount_minor": 0}),
        ("update", {"note": "x", "tags": ["b, a"], "closed": True}),
    ],
)
def test_every_change_of_an_order_bumps_it(
    shop: Store, order: Order, action: str, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATER)
    edit(shop, action, order, **fields)
    assert order.updated_at == LATER
    assert shop.orders("orders")["UPDATED_AT"].keys() == [(LATER, order.id)]


def test_a_new_order_and_a_new_address_bump_the_customer(
    shop: Store, ada: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATER)
    lines = [{"variant": SHIRT}]
    apply_edit(shop, {"action": "create", "kind": "order", "set": {"customer": ada.id, "lines": lines}})
    assert ada.updated_at == LATER
    kept = ada.addresses[0].id
    addresses = [{"id": kept, "city": "Bergen"}, {"city": "Rome", "country": "Italy"}]
    apply_edit(shop, {"kind": "customer", "id": ada.id, "set": {"addresses": addresses}})
    assert [(one.id == kept, one.city) for one in ada.addresses] == [(True, "Bergen"), (False, "Rome")]
    assert (ada.default_address_id, sorted(shop.sales.addresses)) == (kept, sorted(one.id for one in ada.addresses))


def test_deletions_leave_orders_and_are_in_the_event_log(shop: Store, order: Order, ada: Customer) -> None:
    apply_edit(shop, {"action": "delete", "kind": "customer", "id": ada.id})
    assert (shop.sales.customer_of(order), order.customer_id, shop.sales.addresses) == (None, ada.id, {})
    apply_edit(shop, {"action": "delete", "kind": "order", "id": order.id})
    assert (shop.sales.orders, shop.sales.lines, shop.sales.transactions) == ({}, {}, {})
    assert [(one.action, one.subject_type) for one in shop.events] == [
        ("create", "CUSTOMER"),
        ("create", "ORDER"),
        ("destroy", "CUSTOMER"),
        ("destroy", "ORDER"),
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"action": "create", "kind": "order", "set": {}}, "needs lines"),
        ({"action": "create", "kind": "order", "set": {"lines": [{"title": "x"}]}}, "unit_price_minor"),
        ({"action": "create", "kind": "order", "set": {"customer": 1, "lines": [{"title": "x"}]}}, "no customer 1"),
        ({"action": "refund", "kind": "order", "id": 5500000000001, "set": {"lines": {"1": 1}}}, "Only 0 are left"),
        ({"kind": "customer", "id": 1}, "no customer 1"),
        ({"action": "post", "kind": "order"}, "no edit 'post' of 'order'"),
    ],
)
def test_an_impossible_edit_says_why(shop: Store, order: Order, wrong: dict[str, Any], says: str) -> None:
    assert order.id == 5500000000001
    with pytest.raises(EditError, match=says):
        apply_edit(shop, wrong)
