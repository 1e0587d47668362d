"""Orders and customers as webhooks tell them. Amounts are in the shop's own currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from syncline.apps.commerce.mirror.kind import Content, sorted_json
from syncline.apps.commerce.webhooks.told import Payload, Tidings, Told, moment, number, tags
from syncline.apps.commerce.webhooks.told_catalog import decimal

_FULFILLED = {None: "unfulfilled", "partial": "partially_fulfilled", "fulfilled": "fulfilled", "restocked": "restocked"}


def _amount(payload: Payload, name: str) -> Decimal | None:
    """Of the price set where there is one: beside it the amount may be in the customer's currency."""
    both = payload.get(f"{name}_set")
    return decimal(both["shop_money"]["amount"] if both else payload.get(name))


def order(payload: Payload) -> Tidings:
    own, version = number(payload, "id"), moment(payload, "updated_at")
    lines = [_line(one, own) for one in payload.get("line_items") or []]
    values = _order_values(payload, own)
    parts = {
        "refund": [_refund(one, own) for one in payload.get("refunds") or []],
        "fulfillment": [_fulfillment(one, own) for one in payload.get("fulfillments") or []],
    }
    has_refunds = bool(payload.get("refunds"))
    return Tidings(
        kind="order",
        number=own,
        version=version,
        told=[Told("order", (own,), version, values, parts), *lines],
        only={"order_line": frozenset(one.key[0] for one in lines)} if lines else {},
        readings=[("orders", own, 0), *([("refund_lines", own, 0)] if has_refunds else [])],
    )


def _order_values(payload: Payload, own: int) -> dict[str, Any]:
    shipping = payload.get("shipping_address") or {}
    buyer = payload.get("customer") or {}
    total = _amount(payload, "total_price") or Decimal(0)
    current = _amount(payload, "current_total_price")
    currency = str(payload.get("currency") or "")
    refunded = sum((_refund(one, own)[4] for one in payload.get("refunds") or []), Decimal(0))
    return {
        "id": own,
        "name": str(payload.get("name") or f"#{own}"),
        "email": payload.get("email") or None,
        "customer_id": buyer.get("id"),
        "financial_status": payload.get("financial_status"),
        "fulfillment_status": _FULFILLED.get(payload.get("fulfillment_status"), "unfulfilled"),
        "currency": currency,
        "presentment_currency": str(payload.get("presentment_currency") or currency),
        "total": total,
        "subtotal": _amount(payload, "subtotal_price"),
        "tax": _amount(payload, "total_tax"),
        "discounts": _amount(payload, "total_discounts"),
        "shipping": _amount(payload, "total_shipping_price") or Decimal(0),
        "refunded": refunded,
        "current_total": total if current is None else current,
        "tags": tags(payload),
        "discount_codes": [str(one["code"]) for one in payload.get("discount_codes") or []],
        "note": payload.get("note"),
        "source_name": payload.get("source_name"),
        "is_test": bool(payload.get("test")),
        "taxes_included": bool(payload.get("taxes_included")),
        "ship_to_city": shipping.get("city"),
        "ship_to_province": shipping.get("province_code"),
        "ship_to_country": shipping.get("country_code"),
        "ship_to_zip": shipping.get("zip"),
        "cancel_reason": payload.get("cancel_reason"),
        "created_at": moment(payload, "created_at"),
        "processed_at": moment(payload, "processed_at") or moment(payload, "created_at"),
        "cancelled_at": moment(payload, "cancelled_at"),
        "closed_at": moment(payload, "closed_at"),
    }


def _line(one: Mapping[str, Any], owner: int) -> Told:
    own = number(one, "id")
    price, count = _amount(one, "price") or Decimal(0), int(one.get("quantity") or 0)
    discount = _amount(one, "total_discount") or Decimal(0)
    current = one.get("current_quantity")
    values = {
        "id": own,
        "order_id": owner,
        "title": str(one.get("title") or ""),
        "variant_title": one.get("variant_title") or None,
        "sku": one.get("sku") or None,
        "vendor": one.get("vendor"),
        "quantity": count,
        "current_quantity": count if current is None else int(current),
        "product_id": one.get("product_id"),
        "variant_id": one.get("variant_id"),
        "unit_price": price,
        "discounted_total": price * count - discount,
        "discount": discount,
        "taxable": bool(one.get("taxable", True)),
        "requires_shipping": bool(one.get("requires_shipping", True)),
        "is_gift_card": bool(one.get("gift_card")),
    }
    return Told("order_line", (own,), None, values)


def _refund(one: Mapping[str, Any], owner: int) -> Content:
    paid = [paid for paid in one.get("transactions") or [] if paid.get("kind") == "refund"]
    amount = sum((decimal(each.get("amount")) or Decimal(0) for each in paid), Decimal(0))
    return (owner, number(one, "id"), moment(one, "created_at"), one.get("note"), amount)


def _fulfillment(one: Mapping[str, Any], owner: int) -> Content:
    numbers: Sequence[Any] = one.get("tracking_numbers") or []
    urls: Sequence[Any] = one.get("tracking_urls") or []
    tracking = [
        {
            "company": one.get("tracking_company"),
            "number": numbers[place] if place < len(numbers) else None,
            "url": urls[place] if place < len(urls) else None,
        }
        for place in range(max(len(numbers), len(urls)))
    ]
    created = moment(one, "created_at")
    return (
        owner,
        number(one, "id"),
        str(one.get("name") or ""),
        str(one.get("status") or "pending").lower(),
        one.get("shipment_status"),
        sum(int(line.get("quantity") or 0) for line in one.get("line_items") or []),
        one.get("location_id"),
        sorted_json(tracking),
        created,
        moment(one, "updated_at") or created,
    )


def customer(payload: Payload) -> Tidings:
    own, version = number(payload, "id"), moment(payload, "updated_at")
    consent = payload.get("email_marketing_consent") or {}
    default = payload.get("default_address") or {}
    email = payload.get("email") or None
    values: dict[str, Any] = {
        "id": own,
        "first_name": payload.get("first_name") or None,
        "last_name": payload.get("last_name") or None,
        "email": email,
        "email_marketing": consent.get("state") if email else None,
        "phone": payload.get("phone") or None,
        "state": str(payload.get("state") or "disabled").lower(),
        "tags": tags(payload),
        "note": payload.get("note"),
        "is_email_verified": bool(payload.get("verified_email")),
        "is_tax_exempt": bool(payload.get("tax_exempt")),
        "default_address_id": default.get("id"),
        "created_at": moment(payload, "created_at"),
    }
    # Left out of webhooks since 2025-01; older versions have them.
    if "orders_count" in payload:
        values["orders_count"] = int(payload["orders_count"] or 0)
    if "total_spent" in payload:
        values["amount_spent"] = decimal(payload["total_spent"]) or Decimal(0)
    parts = {"customer_address": [_address(one, own) for one in payload.get("addresses") or []]}
    told = Told("customer", (own,), version, values, parts)
    return Tidings("customer", own, version, [told], readings=[("customers", own, 0)])


def _address(one: Mapping[str, Any], owner: int) -> Content:
    names = ("first_name", "last_name", "company", "address1", "address2", "city", "province")
    rest = ("province_code", "country_code", "zip", "phone")
    return (owner, number(one, "id"), *(one.get(name) or None for name in (*names, *rest)))
