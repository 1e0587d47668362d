"""A merchant's edits of orders and customers.

    {"kind": "customer", "id": 7, "set": {"first_name": "Ada", "addresses": [{"city": "Oslo"}]}}     create, delete too
    {"action": "create", "kind": "order", "set": {"customer": 7, "lines": [{"variant": 41, "quantity": 2}], ...}}
    {"kind": "order", "id": 55, "set": {"note": "...", "tags": [...], "closed": true}}               delete too
    {"action": "pay", "kind": "order", "id": 55, "set": {"amount_minor": 1000, "kind": "SALE", "gateway": "manual"}}
    {"action": "fulfill", "kind": "order", "id": 55, "set": {"lines": {"14": 1}, "location": 61, "tracking": "RR1"}}
    {"action": "refund", "kind": "order", "id": 55, "set": {"lines": {"14": 1}, "amount_minor": 500, "note": "..."}}
    {"action": "cancel", "kind": "order", "id": 55, "set": {"reason": "CUSTOMER"}}

`lines` maps a line's id to a quantity; without it all that is left is meant. An order is paid in full unless made with
`"paid": false`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syncline.sandbox.shopify.edit_input import Apply, Edit, EditError, found, known, number, shown
from syncline.sandbox.shopify.entities_sales import (
    SUCCESS,
    Address,
    Customer,
    Fulfillment,
    Order,
    OrderLine,
    Refund,
    RefundLine,
    Tracking,
    Transaction,
)
from syncline.sandbox.shopify.product_input import tags_of
from syncline.sandbox.shopify.state import Store

CUSTOMER = frozenset({
    "first_name", "last_name", "email", "phone", "email_marketing", "sms_marketing", "state", "tags", "note", "locale",
    "verified_email", "tax_exempt", "addresses", "default_address_id",
})  # fmt: skip
ADDRESS = frozenset({
    "first_name", "last_name", "company", "address1", "address2", "city", "province", "province_code", "country",
    "country_code", "zip", "phone",
})  # fmt: skip
ORDER = frozenset({"email", "phone", "note", "tags", "source_name", "test", "closed", "shipping_address"})
NEW_ORDER = ORDER | {
    "customer", "lines", "paid", "created_at", "processed_at", "tax_minor", "shipping_minor", "code_discount_minor",
    "discount_codes", "taxes_included", "billing_address",
}  # fmt: skip
LINE = frozenset({
    "variant", "title", "quantity", "unit_price_minor", "discount_minor", "variant_title", "sku", "vendor", "taxable",
    "requires_shipping", "is_gift_card",
})  # fmt: skip


def _create_customer(store: Store, _: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    return shown(store.sales.add_customer(**_customer_fields(store, fields)))


def _update_customer(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    customer: Customer = found(store.sales.customers, edit.get("id"), "customer")
    store.sales.update_customer(customer, **_customer_fields(store, fields))
    return shown(customer)


def _delete_customer(store: Store, edit: Edit, _: dict[str, Any]) -> dict[str, Any]:
    customer: Customer = found(store.sales.customers, edit.get("id"), "customer")
    store.delete_customer(customer)
    return shown(customer)


def _customer_fields(store: Store, fields: Mapping[str, Any]) -> dict[str, Any]:
    chosen = known(fields, CUSTOMER)
    if "tags" in chosen:
        chosen["tags"] = tags_of(chosen["tags"])
    if "addresses" in chosen:
        chosen["addresses"] = [_address(store, one, "CustomerAddress") for one in chosen["addresses"]]
    return chosen


def _address(store: Store, fields: Mapping[str, Any], model: str) -> Address:
    """A given id is kept, so that a changed address stays the same one."""
    own = dict(fields)
    kept = number(own.pop("id", 0)) or store.next_id("address")
    return Address(kept, model, **known(own, ADDRESS))


def create_order(store: Store, fields: Mapping[str, Any]) -> Order:
    """See the module's text. Raises `EditError`."""
    chosen = known(fields, NEW_ORDER)
    if not chosen.get("lines"):
        raise EditError("A new order needs lines.")
    customer = None
    if chosen.get("customer") is not None:
        customer = found(store.sales.customers, chosen["customer"], "customer")
    created = _moment(chosen.pop("created_at", None)) or store.now()
    order_id, order_number = store.next_id("order"), store.sales.take_number()
    shipping = _order_address(store, chosen.pop("shipping_address", None))
    order = Order(
        id=order_id,
        number=order_number,
        name=f"#{order_number}",
        created_at=created,
        updated_at=created,
        processed_at=_moment(chosen.pop("processed_at", None)) or created,
        currency=store.shop.currency,
        presentment_currency=store.shop.currency,
        customer_id=customer.id if customer else None,
        email=chosen.pop("email", customer.email if customer else None),
        lines=[_line(store, order_id, one) for one in chosen.pop("lines")],
        shipping_address=shipping,
        billing_address=_order_address(store, chosen.pop("billing_address", None)) or shipping,
    )
    is_paid = chosen.pop("paid", True)
    chosen.pop("customer", None)
    for name, value in _order_fields(store, chosen).items():
        setattr(order, name, value)
    if is_paid and order.total_minor:
        order.transactions.append(_transaction(store, order, "SALE", order.total_minor, "shopify_payments"))
    store.sales.place_order(order)
    return order


def _create_order(store: Store, _: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    return shown(create_order(store, fields))


def _update_order(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    order = _order(store, edit)
    store.sales.update_order(order, **_order_fields(store, known(fields, ORDER)))
    return shown(order)


def _delete_order(store: Store, edit: Edit, _: dict[str, Any]) -> dict[str, Any]:
    order = _order(store, edit)
    store.delete_order(order)
    return shown(order)


def _pay(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    order = _order(store, edit)
    chosen = known(fields, frozenset({"amount_minor", "kind", "gateway"}))
    minor = chosen.get("amount_minor", order.total_minor - order.received_minor)
    made = _transaction(store, order, chosen.get("kind", "SALE"), minor, chosen.get("gateway", "shopify_payments"))
    store.sales.pay(order, [made])
    return shown(order)


def _fulfill(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    order = _order(store, edit)
    chosen = known(fields, frozenset({"lines", "location", "tracking", "company", "url", "display_status"}))
    location = chosen.get("location", next(iter(store.locations), None))
    now = store.now()
    code = chosen.get("tracking")
    made = Fulfillment(
        store.next_id("fulfillment"),
        order.id,
        f"{order.name}-F{len(order.fulfillments) + 1}",
        now,
        now,
        display_status=chosen.get("display_status", "FULFILLED"),
        location_id=None if location is None else number(location),
        lines=_unsent(order, chosen.get("lines")),
        tracking=[Tracking(code, chosen.get("company"), chosen.get("url"))] if code else [],
    )
    store.sales.fulfill(order, made)
    return shown(order)


def _refund(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    chosen = known(fields, frozenset({"lines", "amount_minor", "note", "restock_type", "shipping_minor"}))
    order = _order(store, edit)
    refund = _refunded(store, order, chosen)
    received = order.received_minor - order.refunded_minor
    refund.amount_minor = min(chosen.get("amount_minor", refund.subtotal_minor + refund.shipping_minor), received)
    paid = None
    if refund.amount_minor:
        first = next(one for one in order.transactions if one.status == SUCCESS and one.kind in {"SALE", "CAPTURE"})
        paid = _transaction(store, order, "REFUND", refund.amount_minor, first.gateway, first.id)
    store.sales.refund(order, refund, paid)
    return shown(order)


def _refunded(store: Store, order: Order, chosen: Mapping[str, Any]) -> Refund:
    now = store.now()
    restock = chosen.get("restock_type", "RETURN")
    lines = {line.id: line for line in order.lines}
    returned = [
        RefundLine(
            store.next_id("refund_line"),
            line_id,
            quantity,
            lines[line_id].discounted_minor * quantity // lines[line_id].quantity,
            restock_type=restock,
        )
        for line_id, quantity in _left(order, chosen.get("lines")).items()
    ]
    shipping = chosen.get("shipping_minor", 0)
    number_ = store.next_id("refund")
    return Refund(number_, order.id, now, now, shipping_minor=shipping, note=chosen.get("note"), lines=returned)


def _cancel(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    """Pays back what was paid and takes all lines off."""
    order = _order(store, edit)
    reason = known(fields, frozenset({"reason"})).get("reason", "OTHER")
    left = order.received_minor - order.refunded_minor
    _refund(store, edit, {"restock_type": "CANCEL", "amount_minor": left, "shipping_minor": order.shipping_minor})
    store.sales.cancel(order, reason)
    return shown(order)


def _order(store: Store, edit: Edit) -> Order:
    order: Order = found(store.sales.orders, edit.get("id"), "order")
    return order


def _order_fields(store: Store, fields: dict[str, Any]) -> dict[str, Any]:
    chosen = dict(fields)
    if "tags" in chosen:
        chosen["tags"] = tags_of(chosen["tags"])
    if "closed" in chosen:
        chosen["closed_at"] = store.now() if chosen.pop("closed") else None
    if "shipping_address" in chosen:
        chosen["shipping_address"] = _order_address(store, chosen["shipping_address"])
    return chosen


def _order_address(store: Store, fields: Mapping[str, Any] | None) -> Address | None:
    return None if fields is None else _address(store, fields, "Address")


def _line(store: Store, order_id: int, fields: Mapping[str, Any]) -> OrderLine:
    chosen = known(fields, LINE)
    quantity = chosen.pop("quantity", 1)
    if (wanted := chosen.pop("variant", None)) is not None:
        variant = found(store.variants, wanted, "variant")
        product = store.products[variant.product_id]
        chosen = {
            "variant_id": variant.id,
            "product_id": product.id,
            "title": product.title,
            "variant_title": None if variant.title == "Default Title" else variant.title,
            "sku": variant.sku,
            "vendor": product.vendor or None,
            "unit_price_minor": round(float(variant.price) * 100),
        } | chosen
    if "title" not in chosen or "unit_price_minor" not in chosen:
        raise EditError("A line needs a variant, or a title and a unit_price_minor.")
    return OrderLine(store.next_id("line"), order_id, quantity=quantity, current_quantity=quantity, **chosen)


def _left(order: Order, wanted: Mapping[str, int] | None) -> dict[int, int]:
    """Line id -> quantity, of what was neither refunded nor removed."""
    left = {line.id: line.current_quantity for line in order.lines if line.current_quantity}
    return left if wanted is None else _chosen(left, wanted)


def _unsent(order: Order, wanted: Mapping[str, int] | None) -> dict[int, int]:
    sent = [one.lines for one in order.fulfillments if one.status == SUCCESS]
    left = {line.id: line.current_quantity - sum(one.get(line.id, 0) for one in sent) for line in order.lines}
    left = {line_id: quantity for line_id, quantity in left.items() if quantity > 0}
    return left if wanted is None else _chosen(left, wanted)


def _chosen(left: Mapping[int, int], wanted: Mapping[str, int]) -> dict[int, int]:
    chosen = {number(line): quantity for line, quantity in wanted.items()}
    for line_id, quantity in chosen.items():
        if quantity > left.get(line_id, 0):
            raise EditError(f"Only {left.get(line_id, 0)} are left of the line {line_id}, not {quantity}.")
    return chosen


def _transaction(
    store: Store, order: Order, kind: str, minor: int, gateway: str | None, parent: int | None = None
) -> Transaction:
    now = store.now()
    number_ = store.next_id("transaction")
    return Transaction(number_, order.id, kind, minor, now, now, gateway=gateway, test=order.test, parent_id=parent)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


EDITS: dict[tuple[str, str], Apply] = {
    ("create", "customer"): _create_customer,
    ("update", "customer"): _update_customer,
    ("delete", "customer"): _delete_customer,
    ("create", "order"): _create_order,
    ("update", "order"): _update_order,
    ("delete", "order"): _delete_order,
    ("pay", "order"): _pay,
    ("fulfill", "order"): _fulfill,
    ("refund", "order"): _refund,
    ("cancel", "order"): _cancel,
}
