"""Search filters of orders and customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from syncline.sandbox.shopify.entities_sales import Customer, Order
from syncline.sandbox.shopify.search_resource import CREATED_AT, ID, UPDATED_AT, Filter, Resource
from syncline.sandbox.shopify.state import Store

FULFILLMENT_WORDS = {
    "UNFULFILLED": ("unfulfilled", "unshipped"),
    "PARTIALLY_FULFILLED": ("partial", "unfulfilled"),
    "FULFILLED": ("fulfilled", "shipped"),
}
"""displayFulfillmentStatus -> the values of `fulfillment_status` that select it."""


def _customer(store: Store, order: Order) -> Customer | None:
    return store.sales.customer_of(order)


def _status_words(_: Store, order: Order) -> tuple[str, ...]:
    if order.cancelled_at is not None:
        return ("cancelled", "closed")
    return ("closed",) if order.closed_at is not None else ("open", "not_closed")


def _order_texts(store: Store, order: Order) -> Iterable[str | None]:
    customer, address = _customer(store, order), order.shipping_address
    yield from (order.name, order.name.lstrip("#"), order.email)
    if customer is not None:
        yield customer.display_name
    if address is not None:
        yield from (address.first_name, address.last_name, address.city)
    for line in order.lines:
        yield from (line.title, line.sku)


def _customer_texts(_: Store, customer: Customer) -> Iterable[str | None]:
    return (customer.first_name, customer.last_name, customer.email, customer.phone, *customer.tags)


def _current_total(_: Store, order: Order) -> Decimal:
    return Decimal(order.current_total_minor) / 100


def _countries(_: Store, customer: Customer) -> list[str | None]:
    return [name for one in customer.addresses for name in (one.country, one.country_code)]


ORDERS = Resource(
    {
        "id": ID,
        "created_at": CREATED_AT,
        "updated_at": UPDATED_AT,
        "processed_at": Filter("time", lambda _, order: order.processed_at),
        "name": Filter("keyword", lambda _, order: (order.name, order.name.lstrip("#")), many=True),
        "email": Filter("keyword", lambda _, order: order.email),
        "customer_id": Filter("id", lambda s, order: c.id if (c := _customer(s, order)) else None),
        "financial_status": Filter("keyword", lambda _, order: order.financial_status, listed=True),
        "fulfillment_status": Filter(
            "keyword",
            lambda _, order: FULFILLMENT_WORDS.get(order.fulfillment_status, (order.fulfillment_status,)),
            many=True,
            listed=True,
        ),
        "status": Filter("keyword", _status_words, many=True, listed=True),
        "tag": Filter("keyword", lambda _, order: order.tags, many=True, listed=True),
        "tag_not": Filter("keyword", lambda _, order: order.tags, many=True, listed=True, negated=True),
        "test": Filter("boolean", lambda _, order: order.test),
        "source_name": Filter("keyword", lambda _, order: order.source_name, listed=True),
        "discount_code": Filter("keyword", lambda _, order: order.discount_codes[:1], many=True),
        "gateway": Filter("keyword", lambda _, order: [one.gateway for one in order.transactions], many=True),
        "sku": Filter("keyword", lambda _, order: [line.sku for line in order.lines], many=True),
        "current_total_price": Filter("decimal", _current_total),
        "subtotal_line_items_quantity": Filter("integer", lambda _, order: sum(one.quantity for one in order.lines)),
        "fulfillment_location_id": Filter(
            "id", lambda _, order: [one.location_id for one in order.fulfillments], many=True
        ),
    },
    frozenset({
        "cart_token", "channel", "channel_id", "chargeback_status", "checkout_token", "confirmation_number",
        "credit_card_last4", "delivery_method", "fraud_protection_level", "location_id", "payment_id",
        "payment_provider_id", "po_number", "reference_location_id", "return_status", "risk_level", "sales_channel",
        "source_identifier", "total_weight",
    }),
    _order_texts,
)  # fmt: skip

CUSTOMERS = Resource(
    {
        "id": ID,
        "updated_at": UPDATED_AT,
        "customer_date": CREATED_AT,
        "email": Filter("text", lambda _, customer: customer.email),
        "phone": Filter("keyword", lambda _, customer: customer.phone),
        "first_name": Filter("text", lambda _, customer: customer.first_name),
        "last_name": Filter("text", lambda _, customer: customer.last_name),
        "state": Filter("keyword", lambda _, customer: customer.state, listed=True),
        "country": Filter("keyword", _countries, many=True),
        "tag": Filter("keyword", lambda _, customer: customer.tags, many=True, listed=True),
        "tag_not": Filter("keyword", lambda _, customer: customer.tags, many=True, listed=True, negated=True),
        "accepts_marketing": Filter("boolean", lambda _, customer: customer.email_marketing == "SUBSCRIBED"),
        "orders_count": Filter("integer", lambda s, customer: len(s.sales.orders_of_customer.get(customer.id, ()))),
        "total_spent": Filter("decimal", lambda s, customer: Decimal(s.sales.spent_minor(customer.id)) / 100),
        "order_date": Filter(
            "time", lambda s, customer: [one.processed_at for one in s.sales.orders_of(customer.id)], many=True
        ),
    },
    frozenset({"last_abandoned_order_date"}),
    _customer_texts,
)

SALES: Mapping[str, Resource] = {
    "orders": ORDERS,
    "customers": CUSTOMERS,
    # customersCount has a table of its own.
    "counted_customers": Resource({"id": ID, "created_at": CREATED_AT, "updated_at": UPDATED_AT}),
    "fulfillments": Resource({"id": ID, "created_at": CREATED_AT, "updated_at": UPDATED_AT}),
}
