"""What the mirror should hold of a shop's orders and customers, from the shop's own memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from syncline.main.testing.expected_catalog import Records, moment
from syncline.main.testing.shop import Shop

Row = Mapping[str, Any]


def _money(minor: int) -> Decimal:
    return Decimal(minor) / 100


async def sales_of(shop: Shop) -> dict[str, Records]:
    """Every record by kind and key, the parts of orders and customers among them."""
    orders = await shop.rows("orders")
    customers = await shop.rows("customers")
    known = {
        "customer": {row["id"] for row in customers},
        "product": {row["id"] for row in await shop.rows("products")},
        "variant": {row["id"] for row in await shop.rows("variants")},
    }
    return {
        "order": {(row["id"],): _order(row, known["customer"]) for row in orders},
        "order_line": {(line["id"],): _line(line, known) for row in orders for line in row["lines"]},
        "refund": _parts(orders, "refunds", _refund),
        "refund_line": {
            (line["id"],): _refund_line(line, refund, row)
            for row in orders
            for refund in row["refunds"]
            for line in refund["lines"]
        },
        "fulfillment": _parts(orders, "fulfillments", _fulfillment),
        "order_transaction": _parts(orders, "transactions", _transaction),
        "customer": {(row["id"],): _customer(row, orders) for row in customers},
        "customer_address": {
            (row["id"], address["id"]): _address(address) for row in customers for address in row["addresses"]
        },
    }


def _parts(orders: Iterable[Row], name: str, make: Any) -> Records:
    return {(row["id"], part["id"]): make(part) for row in orders for part in row[name]}


def _order(row: Row, customers: set[int]) -> dict[str, Any]:
    lines = sum(line["unit_price_minor"] * line["quantity"] for line in row["lines"])
    discounts = sum(line["discount_minor"] for line in row["lines"]) + row["code_discount_minor"]
    tax = 0 if row["taxes_included"] else row["tax_minor"]
    total = lines - discounts + row["shipping_minor"] + tax
    return {
        **{name: row[name] for name in ("name", "email", "currency", "presentment_currency", "note", "source_name")},
        **{name: row[name] for name in ("tags", "discount_codes", "taxes_included")},
        "customer_id": row["customer_id"] if row["customer_id"] in customers else None,
        "financial_status": row["financial_status"].lower(),
        "fulfillment_status": row["fulfillment_status"].lower(),
        "total": _money(total),
        "subtotal": _money(lines - discounts),
        "tax": _money(row["tax_minor"]),
        "discounts": _money(discounts),
        "shipping": _money(row["shipping_minor"]),
        "refunded": _money(sum(refund["amount_minor"] for refund in row["refunds"])),
        "current_total": _money(total - _returned(row)),
        "is_test": row["test"],
        "ship_to_country": (row["shipping_address"] or {}).get("country_code"),
        "ship_to_city": (row["shipping_address"] or {}).get("city"),
        "cancel_reason": row["cancel_reason"].lower() if row["cancel_reason"] else None,
        **{name: moment(row[name]) for name in ("created_at", "processed_at", "cancelled_at", "closed_at")},
        "source_updated_at": moment(row["updated_at"]),
    }


def _returned(row: Row) -> int:
    returned = 0
    for refund in row["refunds"]:
        returned += refund["shipping_minor"] + sum(line["subtotal_minor"] for line in refund["lines"])
        returned += 0 if row["taxes_included"] else sum(line["tax_minor"] for line in refund["lines"])
    return returned


def _line(row: Row, known: Mapping[str, set[int]]) -> dict[str, Any]:
    plain = ("order_id", "title", "variant_title", "sku", "vendor", "quantity", "current_quantity", "taxable")
    total = row["unit_price_minor"] * row["quantity"]
    return {
        **{name: row[name] for name in (*plain, "requires_shipping", "is_gift_card")},
        "product_id": row["product_id"] if row["product_id"] in known["product"] else None,
        "variant_id": row["variant_id"] if row["variant_id"] in known["variant"] else None,
        "unit_price": _money(row["unit_price_minor"]),
        "discounted_total": _money(total - row["discount_minor"]),
        "discount": _money(row["discount_minor"]),
    }


def _refund(row: Row) -> dict[str, Any]:
    return {"note": row["note"], "amount": _money(row["amount_minor"]), "created_at": moment(row["created_at"])}


def _refund_line(row: Row, refund: Row, order: Row) -> dict[str, Any]:
    (line,) = [one for one in order["lines"] if one["id"] == row["line_id"]]
    return {
        "order_id": order["id"],
        "refund_id": refund["id"],
        "line_id": row["line_id"],
        "quantity": row["quantity"],
        "restock_type": row["restock_type"].lower(),
        "is_restocked": row["restock_type"] != "NO_RESTOCK",
        "location_id": None,
        "price": _money(line["unit_price_minor"]),
        "subtotal": _money(row["subtotal_minor"]),
        "tax": _money(row["tax_minor"]),
    }


def _fulfillment(row: Row) -> dict[str, Any]:
    return {
        "name": row["name"],
        "status": row["status"].lower(),
        "display_status": row["display_status"].lower() if row["display_status"] else None,
        "quantity": sum(row["lines"].values()),
        "location_id": row["location_id"],
        "tracking": row["tracking"],
        "created_at": moment(row["created_at"]),
        "updated_at": moment(row["updated_at"]),
    }


def _transaction(row: Row) -> dict[str, Any]:
    return {
        "kind": row["kind"].lower(),
        "status": row["status"].lower(),
        "gateway": row["gateway"],
        "amount": _money(row["amount_minor"]),
        "is_test": row["test"],
        "parent_id": row["parent_id"],
        "created_at": moment(row["created_at"]),
        "processed_at": moment(row["processed_at"]),
    }


def _customer(row: Row, orders: Iterable[Row]) -> dict[str, Any]:
    plain = ("first_name", "last_name", "email", "phone", "tags", "note", "locale", "default_address_id")
    return {
        **{name: row[name] for name in plain},
        "email_marketing": row["email_marketing"].lower() if row["email"] else None,
        "state": row["state"].lower(),
        "is_email_verified": row["verified_email"],
        "is_tax_exempt": row["tax_exempt"],
        "orders_count": sum(order["customer_id"] == row["id"] for order in orders),
        "created_at": moment(row["created_at"]),
        "source_updated_at": moment(row["updated_at"]),
    }


def _address(row: Row) -> dict[str, Any]:
    names = ("first_name", "last_name", "company", "address1", "address2", "city", "province", "province_code")
    return {name: row[name] for name in (*names, "country_code", "zip", "phone")}
