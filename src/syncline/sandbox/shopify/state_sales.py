"""Orders and customers of a store, and the only functions that change them.

A refund, fulfilment or transaction bumps its order's `updated_at`, an address its customer's. What moves a customer's
`numberOfOrders` or `amountSpent` bumps the customer too. Deleting a customer, a product or a variant leaves the orders
as they are. Placing an order here does not move stock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syncline.sandbox.shopify.entities_sales import (
    Address,
    Customer,
    Fulfillment,
    Order,
    OrderLine,
    Refund,
    Transaction,
    financial_status,
    fulfillment_status,
)
from syncline.sandbox.shopify.journal import FIRST_ORDER_NUMBER, Journal
from syncline.sandbox.shopify.ordering import added, orderings, removed, rewrite


class Sales:
    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.orders: dict[int, Order] = {}
        self.lines: dict[int, OrderLine] = {}
        self.refunds: dict[int, Refund] = {}
        self.fulfillments: dict[int, Fulfillment] = {}
        self.transactions: dict[int, Transaction] = {}
        self.customers: dict[int, Customer] = {}
        self.addresses: dict[int, Address] = {}
        """Of customers; an order's are in the order."""
        self.orders_of_customer: dict[int, list[int]] = {}
        self.next_number = FIRST_ORDER_NUMBER
        self.order_orders = orderings(
            self.orders.values,
            ID=lambda order: order.id,
            CREATED_AT=lambda order: order.created_at,
            UPDATED_AT=lambda order: order.updated_at,
            PROCESSED_AT=lambda order: order.processed_at,
            ORDER_NUMBER=lambda order: order.number,
            TOTAL_PRICE=lambda order: order.total_minor,
            CURRENT_TOTAL_PRICE=lambda order: order.current_total_minor,
            FINANCIAL_STATUS=lambda order: order.financial_status,
            FULFILLMENT_STATUS=lambda order: order.fulfillment_status,
            TOTAL_ITEMS_QUANTITY=lambda order: sum(line.quantity for line in order.lines),
        )
        self.customer_orders = orderings(
            self.customers.values,
            ID=lambda customer: customer.id,
            CREATED_AT=lambda customer: customer.created_at,
            UPDATED_AT=lambda customer: customer.updated_at,
            NAME=lambda customer: f"{customer.last_name or ''}, {customer.first_name or ''}".casefold(),
        )

    # -- reading

    def customer_of(self, order: Order) -> Customer | None:
        """None when there was none, or when it was deleted."""
        return None if order.customer_id is None else self.customers.get(order.customer_id)

    def orders_of(self, customer_id: int) -> list[Order]:
        return [self.orders[number] for number in self.orders_of_customer.get(customer_id, ())]

    def spent_minor(self, customer_id: int) -> int:
        """What the customer has paid and kept, over all orders that are no test and not cancelled."""
        return sum(
            order.received_minor - order.refunded_minor
            for order in self.orders_of(customer_id)
            if order.cancelled_at is None and not order.test
        )

    # -- customers

    def insert_customer(self, customer: Customer) -> None:
        """Adds a customer made elsewhere, without a line in the event log."""
        self.customers[customer.id] = customer
        for address in customer.addresses:
            self.addresses[address.id] = address
        added(self.customer_orders, customer)
        self.journal.revision += 1

    def add_customer(self, **fields: Any) -> Customer:
        """`fields` are `Customer`'s own; of `addresses` the first becomes the default."""
        now = self.journal.now()
        addresses = fields.get("addresses") or []
        default = addresses[0].id if addresses else None
        customer = Customer(self.journal.next_id("customer"), now, now, default_address_id=default, **fields)
        self.insert_customer(customer)
        self.journal.log("create", "CUSTOMER", customer.id, f"Customer was created: {customer.display_name}.")
        self.journal.tell("customers/create", customer)
        return customer

    def update_customer(self, customer: Customer, **fields: Any) -> None:
        """Sets `fields` and bumps `updated_at`. New `addresses` take the place of all old ones."""
        if "addresses" in fields:
            for address in customer.addresses:
                del self.addresses[address.id]
            for address in fields["addresses"]:
                self.addresses[address.id] = address
            kept = {address.id for address in fields["addresses"]}
            if customer.default_address_id not in kept:
                fields["default_address_id"] = fields["addresses"][0].id if kept else None
        rewrite(self.customer_orders, customer, {**fields, "updated_at": self.journal.now()})
        self.journal.revision += 1
        self.journal.tell("customers/update", customer)

    def delete_customer(self, customer: Customer) -> None:
        removed(self.customer_orders, customer)
        del self.customers[customer.id]
        for address in customer.addresses:
            del self.addresses[address.id]
        self.journal.revision += 1
        self.journal.log("destroy", "CUSTOMER", customer.id, f"Customer was deleted: {customer.display_name}.")
        self.journal.tell("customers/delete", customer)

    # -- orders

    def insert_order(self, order: Order) -> None:
        """Adds an order made elsewhere: no event, the customer is not bumped."""
        self.orders[order.id] = order
        self._index(order)
        if order.customer_id is not None:
            self.orders_of_customer.setdefault(order.customer_id, []).append(order.id)
        added(self.order_orders, order)
        self.journal.revision += 1

    def take_number(self) -> int:
        self.next_number += 1
        return self.next_number - 1

    def place_order(self, order: Order) -> None:
        """Adds an order just made: in the event log, and counted for its customer."""
        order.financial_status, order.fulfillment_status = financial_status(order), fulfillment_status(order)
        self.insert_order(order)
        self._bump_customer(order)
        self.journal.log("create", "ORDER", order.id, f"Order was created: {order.name}.")
        self.journal.tell("orders/create", order)
        if order.financial_status == "PAID":
            self.journal.tell("orders/paid", order)

    def update_order(self, order: Order, **fields: Any) -> None:
        """Sets `fields`, works the statuses out again and bumps `updated_at`.

        New `lines`, `refunds`, `fulfillments` or `transactions` take the place of all old ones.
        """
        self._unindex(order)
        removed(self.order_orders, order)
        was_paid, was_cancelled = order.financial_status == "PAID", order.cancelled_at is not None
        for name, value in fields.items():
            setattr(order, name, value)
        order.financial_status, order.fulfillment_status = financial_status(order), fulfillment_status(order)
        order.updated_at = self.journal.now()
        added(self.order_orders, order)
        self._index(order)
        self.journal.revision += 1
        self.journal.tell("orders/updated", order)
        if order.financial_status == "PAID" and not was_paid:
            self.journal.tell("orders/paid", order)
        if order.cancelled_at is not None and not was_cancelled:
            self.journal.tell("orders/cancelled", order)

    def refund(self, order: Order, refund: Refund, transaction: Transaction | None) -> None:
        """Takes the refunded pieces off the order's lines and, with a transaction, pays back."""
        gone = {line.line_id: line.quantity for line in refund.lines}
        for line in order.lines:
            line.current_quantity -= gone.get(line.id, 0)
        paid = [] if transaction is None else [transaction]
        self.update_order(order, refunds=[*order.refunds, refund], transactions=[*order.transactions, *paid])
        self.journal.tell("refunds/create", refund)
        self._bump_customer(order)

    def fulfill(self, order: Order, fulfillment: Fulfillment) -> None:
        self.update_order(order, fulfillments=[*order.fulfillments, fulfillment])
        self.journal.tell("fulfillments/create", fulfillment)
        is_whole = order.fulfillment_status == "FULFILLED"
        self.journal.tell("orders/fulfilled" if is_whole else "orders/partially_fulfilled", order)

    def pay(self, order: Order, transactions: Sequence[Transaction]) -> None:
        self.update_order(order, transactions=[*order.transactions, *transactions])
        self._bump_customer(order)

    def cancel(self, order: Order, reason: str) -> None:
        now = self.journal.now()
        self.update_order(order, cancelled_at=now, closed_at=now, cancel_reason=reason)
        self._bump_customer(order)

    def delete_order(self, order: Order) -> None:
        removed(self.order_orders, order)
        del self.orders[order.id]
        self._unindex(order)
        if order.customer_id is not None:
            self.orders_of_customer[order.customer_id].remove(order.id)
        self._bump_customer(order)
        self.journal.revision += 1
        self.journal.log("destroy", "ORDER", order.id, f"Order was deleted: {order.name}.")
        self.journal.tell("orders/delete", order)

    # -- inside

    def _bump_customer(self, order: Order) -> None:
        customer = self.customer_of(order)
        if customer is not None:
            self.update_customer(customer)

    def _parts(self, order: Order) -> Mapping[str, tuple[dict[int, Any], list[Any]]]:
        return {
            "lines": (self.lines, order.lines),
            "refunds": (self.refunds, order.refunds),
            "fulfillments": (self.fulfillments, order.fulfillments),
            "transactions": (self.transactions, order.transactions),
        }

    def _index(self, order: Order) -> None:
        for table, parts in self._parts(order).values():
            for part in parts:
                table[part.id] = part

    def _unindex(self, order: Order) -> None:
        for table, parts in self._parts(order).values():
            for part in parts:
                del table[part.id]
