"""What webhooks carry of sales, as REST shaped it: orders with all their parts, customers, refunds, fulfilments."""

from __future__ import annotations

from typing import Any

from syncline.sandbox.shopify.entities_sales import (
    Address,
    Customer,
    Fulfillment,
    Order,
    OrderLine,
    Refund,
    RefundLine,
    Transaction,
)
from syncline.sandbox.shopify.ids import gid
from syncline.sandbox.shopify.payloads import Payload, rest_moment
from syncline.sandbox.shopify.state import Store

FULFILLMENT_STATUSES = {"UNFULFILLED": None, "PARTIALLY_FULFILLED": "partial", "FULFILLED": "fulfilled"}


def amount(minor: int) -> str:
    """Of hundredths: 1250 is `12.50`."""
    sign, whole = ("-", -minor) if minor < 0 else ("", minor)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def customer(store: Store, one: Customer) -> Payload:
    addresses = [_customer_address(one, address) for address in one.addresses]
    default = next((each for each in addresses if each["default"]), None)
    return {
        "id": one.id,
        "created_at": rest_moment(one.created_at),
        "updated_at": rest_moment(one.updated_at),
        "email": one.email,
        "first_name": one.first_name,
        "last_name": one.last_name,
        "state": one.state.lower(),
        "note": one.note,
        "verified_email": one.verified_email,
        "multipass_identifier": None,
        "tax_exempt": one.tax_exempt,
        "tags": ", ".join(one.tags),
        "currency": store.shop.currency,
        "phone": one.phone,
        "addresses": addresses,
        "tax_exemptions": [],
        "email_marketing_consent": _consent(one.email, one.email_marketing),
        "sms_marketing_consent": _consent(one.phone, one.sms_marketing),
        "admin_graphql_api_id": gid("Customer", one.id),
        **({} if default is None else {"default_address": default}),
    }


def _consent(address: str | None, state: str) -> Payload | None:
    if address is None:
        return None
    return {"state": state.lower(), "opt_in_level": "single_opt_in", "consent_updated_at": None}


def _customer_address(owner: Customer, one: Address) -> Payload:
    is_default = one.id == owner.default_address_id
    return {"id": one.id, "customer_id": owner.id, **_address(one), "country_name": one.country, "default": is_default}


def _address(one: Address) -> Payload:
    name = " ".join(part for part in (one.first_name, one.last_name) if part)
    return {
        "first_name": one.first_name,
        "last_name": one.last_name,
        "company": one.company,
        "address1": one.address1,
        "address2": one.address2,
        "city": one.city,
        "province": one.province,
        "country": one.country,
        "zip": one.zip,
        "phone": one.phone,
        "name": name,
        "province_code": one.province_code,
        "country_code": one.country_code,
    }


def order(store: Store, one: Order) -> Payload:
    """Transactions are told with refunds only, as the real payload has it."""
    buyer = store.sales.customer_of(one)
    return {
        "id": one.id,
        "admin_graphql_api_id": gid("Order", one.id),
        **_order_facts(one),
        **_order_totals(one),
        "customer": None if buyer is None else customer(store, buyer),
        "billing_address": None if one.billing_address is None else _address(one.billing_address),
        "shipping_address": None if one.shipping_address is None else _address(one.shipping_address),
        "discount_codes": [
            {"code": code, "amount": amount(one.code_discount_minor), "type": "fixed_amount"}
            for code in one.discount_codes
        ],
        "line_items": [_line(one, line) for line in one.lines],
        "fulfillments": [fulfillment(store, each) for each in one.fulfillments],
        "refunds": [refund(store, each) for each in one.refunds],
        "shipping_lines": _shipping_lines(one),
        "tax_lines": [{"price": amount(one.tax_minor), "rate": None, "title": "Tax"}] if one.tax_minor else [],
        "note_attributes": [],
    }


def _order_facts(one: Order) -> Payload:
    gateways = dict.fromkeys(paid.gateway for paid in one.transactions if paid.gateway)
    return {
        "name": one.name,
        "number": one.number - 1000,
        "order_number": one.number,
        "created_at": rest_moment(one.created_at),
        "updated_at": rest_moment(one.updated_at),
        "processed_at": rest_moment(one.processed_at),
        "cancelled_at": rest_moment(one.cancelled_at),
        "closed_at": rest_moment(one.closed_at),
        "cancel_reason": None if one.cancel_reason is None else one.cancel_reason.lower(),
        "confirmed": True,
        "currency": one.currency,
        "presentment_currency": one.presentment_currency,
        "financial_status": one.financial_status.lower(),
        "fulfillment_status": FULFILLMENT_STATUSES[one.fulfillment_status],
        "source_name": one.source_name,
        "email": one.email,
        "contact_email": one.email,
        "phone": one.phone,
        "tags": ", ".join(one.tags),
        "note": one.note,
        "test": one.test,
        "taxes_included": one.taxes_included,
        "payment_gateway_names": list(gateways),
    }


def _order_totals(one: Order) -> Payload:
    returned_tax = one.tax_minor - one.returned_tax_minor
    minor = {
        "subtotal_price": one.subtotal_minor,
        "current_subtotal_price": one.subtotal_minor - one.returned_subtotal_minor,
        "total_line_items_price": sum(line.original_minor for line in one.lines),
        "total_discounts": one.discounts_minor,
        "current_total_discounts": one.discounts_minor,
        "total_tax": one.tax_minor,
        "current_total_tax": returned_tax,
        "total_price": one.total_minor,
        "current_total_price": one.current_total_minor,
        "total_shipping_price": one.shipping_minor,
        "total_outstanding": max(0, one.current_total_minor - one.received_minor + one.refunded_minor),
    }
    told: Payload = {f"{name}_set": _both(one, value) for name, value in minor.items() if name != "total_outstanding"}
    return told | {name: amount(value) for name, value in minor.items() if name != "total_shipping_price"}


def _both(one: Order, minor: int) -> Payload:
    """A price set: in the shop's currency and in the customer's."""
    return {
        "shop_money": {"amount": amount(minor), "currency_code": one.currency},
        "presentment_money": {"amount": amount(one.presentment(minor)), "currency_code": one.presentment_currency},
    }


def _line(of: Order, one: OrderLine) -> Payload:
    sent = sum(each.lines.get(one.id, 0) for each in of.fulfillments if each.status == "SUCCESS")
    left = max(0, one.current_quantity - sent)
    status = "fulfilled" if sent and not left else "partial" if sent else None
    return {
        "id": one.id,
        "admin_graphql_api_id": gid("LineItem", one.id),
        "current_quantity": one.current_quantity,
        "fulfillable_quantity": left,
        "fulfillment_service": "manual",
        "fulfillment_status": status,
        "gift_card": one.is_gift_card,
        "grams": 0,
        "name": f"{one.title} - {one.variant_title}" if one.variant_title else one.title,
        "price": amount(one.unit_price_minor),
        "price_set": _both(of, one.unit_price_minor),
        "product_exists": one.product_id is not None,
        "product_id": one.product_id,
        "properties": [],
        "quantity": one.quantity,
        "requires_shipping": one.requires_shipping,
        "sku": one.sku,
        "taxable": one.taxable,
        "title": one.title,
        "total_discount": amount(one.discount_minor),
        "total_discount_set": _both(of, one.discount_minor),
        "variant_id": one.variant_id,
        "variant_title": one.variant_title,
        "vendor": one.vendor,
        "tax_lines": [],
        "discount_allocations": [],
    }


def _shipping_lines(one: Order) -> list[Payload]:
    if not one.shipping_minor:
        return []
    return [
        {
            "id": one.id,
            "code": "Standard",
            "title": "Standard",
            "price": amount(one.shipping_minor),
            "discounted_price": amount(one.shipping_minor),
            "source": "shopify",
            "tax_lines": [],
        }
    ]


def refund(store: Store, one: Refund) -> Payload:
    of = store.sales.orders[one.order_id]
    lines = {line.id: line for line in of.lines}
    paid_back = _paid_back(of, one)
    adjustments = [] if not one.shipping_minor else [_shipping_refund(one)]
    return {
        "id": one.id,
        "admin_graphql_api_id": gid("Refund", one.id),
        "order_id": one.order_id,
        "created_at": rest_moment(one.created_at),
        "processed_at": rest_moment(one.created_at),
        "note": one.note,
        "user_id": None,
        "restock": any(line.restock_type == "RETURN" for line in one.lines),
        "refund_line_items": [_refund_line(of, lines[line.line_id], line) for line in one.lines],
        "transactions": [transaction(store, paid) for paid in paid_back],
        "order_adjustments": adjustments,
        "duties": [],
    }


def _paid_back(of: Order, one: Refund) -> list[Transaction]:
    """The transaction that belongs to it: both lists are in the order they were made, and a refund of nothing has
    none."""
    paying = [each.id for each in of.refunds if each.amount_minor]
    made = [paid for paid in of.transactions if paid.kind == "REFUND"]
    return [paid for refund_id, paid in zip(paying, made, strict=False) if refund_id == one.id]


def _shipping_refund(one: Refund) -> Payload:
    return {
        "id": one.id,
        "order_id": one.order_id,
        "refund_id": one.id,
        "amount": amount(-one.shipping_minor),
        "tax_amount": "0.00",
        "kind": "shipping_refund",
        "reason": "Shipping refund",
    }


def _refund_line(of: Order, line: OrderLine, one: RefundLine) -> Payload:
    return {
        "id": one.id,
        "line_item_id": one.line_id,
        "location_id": None,
        "quantity": one.quantity,
        "restock_type": one.restock_type.lower(),
        "subtotal": amount(one.subtotal_minor),
        "total_tax": amount(one.tax_minor),
        "line_item": _line(of, line),
    }


def transaction(store: Store, one: Transaction) -> Payload:
    return {
        "id": one.id,
        "admin_graphql_api_id": gid("OrderTransaction", one.id),
        "order_id": one.order_id,
        "parent_id": one.parent_id,
        "amount": amount(one.amount_minor),
        "currency": store.shop.currency,
        "kind": one.kind.lower(),
        "status": one.status.lower(),
        "gateway": one.gateway,
        "test": one.test,
        "created_at": rest_moment(one.created_at),
        "processed_at": rest_moment(one.processed_at),
    }


def fulfillment(store: Store, one: Fulfillment) -> Payload:
    of = store.sales.orders[one.order_id]
    lines: list[Any] = [
        {**_line(of, line), "quantity": one.lines[line.id]} for line in of.lines if line.id in one.lines
    ]
    first = one.tracking[0] if one.tracking else None
    return {
        "id": one.id,
        "admin_graphql_api_id": gid("Fulfillment", one.id),
        "order_id": one.order_id,
        "name": one.name.replace("-F", "."),
        "created_at": rest_moment(one.created_at),
        "updated_at": rest_moment(one.updated_at),
        "status": one.status.lower(),
        "shipment_status": None if one.display_status in {None, "FULFILLED"} else str(one.display_status).lower(),
        "service": "manual",
        "location_id": one.location_id,
        "tracking_company": first.company if first else None,
        "tracking_number": first.number if first else None,
        "tracking_numbers": [each.number for each in one.tracking if each.number],
        "tracking_url": first.url if first else None,
        "tracking_urls": [each.url for each in one.tracking if each.url],
        "line_items": lines,
    }
