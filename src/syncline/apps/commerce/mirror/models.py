"""One row per record of a store, keyed by the store's own ids.

`source_updated_at` is the record's version as the store gave it, `line_hash` the hash of the raw line last read
(equal: nothing to look at), `content_hash` the hash of what we keep of it (equal: nothing to write). A deleted record
stays as a tombstone (`deleted_at`), so that an older line cannot bring it back.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.tables import METADATA, big, json, moment, store_key, tenant_column, text


def _versions() -> list[Column[object]]:
    return [
        moment("source_updated_at", nullable=True),
        big("line_hash"),
        big("content_hash"),
        moment("synced_at"),
        moment("deleted_at", nullable=True),
    ]


def _number(name: str) -> Column[int]:
    """Of the key: the store's own number."""
    return big(name, primary_key=True, autoincrement=False)


def _record(name: str, *columns: Column[Any]) -> Table:
    """Records with a number of their own."""
    return Table(name, METADATA, store_key(), _number("id"), tenant_column(), *columns, *_versions())


def _part(name: str, owner: str, *columns: Column[Any]) -> Table:
    """A list inside a record's line: its rows have no version, for they are replaced with their record."""
    return Table(name, METADATA, store_key(), _number(owner), _number("id"), tenant_column(), *columns)


product = _record(
    "product",
    text("handle"),
    text("title"),
    text("description_html"),
    text("vendor"),
    text("product_type"),
    text("status"),
    Column("tags", ARRAY(Text), nullable=False),
    text("template_suffix", nullable=True),
    text("seo_title", nullable=True),
    text("seo_description", nullable=True),
    Column("is_gift_card", Boolean, nullable=False),
    json("options"),
    Column("variants_count", Integer, nullable=True),
    moment("created_at", nullable=True),
    moment("published_at", nullable=True),
)
Index("product_handle_idx", product.c.store_id, product.c.handle)
Index("product_vendor_idx", product.c.store_id, product.c.vendor)

variant = _record(
    "variant",
    big("product_id"),
    text("title"),
    text("sku", nullable=True),
    text("barcode", nullable=True),
    Column("price", Numeric, nullable=False),
    Column("compare_at_price", Numeric, nullable=True),
    Column("position", Integer, nullable=False),
    Column("taxable", Boolean, nullable=False),
    text("inventory_policy"),
    json("selected_options"),
    big("inventory_item_id"),
    Column("tracked", Boolean, nullable=False),
    Column("requires_shipping", Boolean, nullable=False),
    Column("cost", Numeric, nullable=True),
    Column("weight", Numeric, nullable=True),
    text("weight_unit", nullable=True),
    moment("created_at", nullable=True),
)
Index("variant_product_idx", variant.c.store_id, variant.c.product_id)
Index("variant_item_idx", variant.c.store_id, variant.c.inventory_item_id)

location = _record(
    "location",
    text("name"),
    Column("is_active", Boolean, nullable=False),
)

inventory_level = Table(
    "inventory_level",
    METADATA,
    store_key(),
    _number("inventory_item_id"),
    _number("location_id"),
    tenant_column(),
    Column("available", Integer, nullable=True),
    Column("on_hand", Integer, nullable=True),
    Column("committed", Integer, nullable=True),
    Column("incoming", Integer, nullable=True),
    *_versions(),
)

inventory_item = _record(
    "inventory_item",
    text("sku", nullable=True),
    Column("tracked", Boolean, nullable=False),
    Column("requires_shipping", Boolean, nullable=False),
    text("country_of_origin", nullable=True),
    text("province_of_origin", nullable=True),
    text("harmonized_system_code", nullable=True),
    Column("cost", Numeric, nullable=True),
    Column("weight", Numeric, nullable=True),
    text("weight_unit", nullable=True),
    moment("created_at", nullable=True),
)

collection = _record(
    "collection",
    text("handle"),
    text("title"),
    text("description_html"),
    text("sort_order"),
    text("template_suffix", nullable=True),
    text("seo_title", nullable=True),
    text("seo_description", nullable=True),
    json("rule_set", nullable=True),
    Column("products_count", Integer, nullable=True),
)

collection_membership = Table(
    "collection_membership",
    METADATA,
    store_key(),
    _number("collection_id"),
    _number("product_id"),
    tenant_column(),
    *_versions(),
)
Index("collection_membership_product_idx", collection_membership.c.store_id, collection_membership.c.product_id)

product_media = Table(
    "product_media",
    METADATA,
    store_key(),
    _number("product_id"),
    _number("id"),
    tenant_column(),
    text("type"),
    text("alt", nullable=True),
    text("status"),
    text("url", nullable=True),
    Column("width", Integer, nullable=True),
    Column("height", Integer, nullable=True),
    # Among the media of its product, from 1; null until they have all been read.
    Column("position", Integer, nullable=True),
    *_versions(),
)

metafield = _record(
    "metafield",
    text("owner_type"),
    big("owner_id"),
    text("namespace"),
    text("key"),
    text("type"),
    text("value"),
    text("compare_digest"),
    moment("created_at", nullable=True),
)
Index("metafield_owner_idx", metafield.c.store_id, metafield.c.owner_type, metafield.c.owner_id)


def _owned_metafield(owner: str) -> Table:
    """A value and its digest may be emptied of a person."""
    table = _record(
        f"{owner}_metafield",
        big(f"{owner}_id"),
        text("namespace"),
        text("key"),
        text("type"),
        text("value", nullable=True),
        text("compare_digest", nullable=True),
        moment("created_at", nullable=True),
    )
    Index(f"{owner}_metafield_owner_idx", table.c.store_id, table.c[f"{owner}_id"])
    return table


collection_metafield = _owned_metafield("collection")
order_metafield = _owned_metafield("order")
customer_metafield = _owned_metafield("customer")

shop_order = _record(
    "shop_order",
    text("name"),
    text("email", nullable=True),
    big("customer_id", nullable=True),
    text("financial_status", nullable=True),
    text("fulfillment_status"),
    text("currency"),
    text("presentment_currency"),
    Column("total", Numeric, nullable=False),
    Column("subtotal", Numeric, nullable=True),
    Column("tax", Numeric, nullable=True),
    Column("discounts", Numeric, nullable=True),
    Column("shipping", Numeric, nullable=False),
    Column("refunded", Numeric, nullable=False),
    Column("current_total", Numeric, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("discount_codes", ARRAY(Text), nullable=False),
    text("note", nullable=True),
    text("source_name", nullable=True),
    Column("is_test", Boolean, nullable=False),
    Column("taxes_included", Boolean, nullable=False),
    text("ship_to_city", nullable=True),
    text("ship_to_province", nullable=True),
    text("ship_to_country", nullable=True),
    text("ship_to_zip", nullable=True),
    text("cancel_reason", nullable=True),
    moment("created_at"),
    moment("processed_at"),
    moment("cancelled_at", nullable=True),
    moment("closed_at", nullable=True),
    big("parts_hash"),
)
Index("shop_order_customer_idx", shop_order.c.store_id, shop_order.c.customer_id)
Index("shop_order_created_idx", shop_order.c.store_id, shop_order.c.created_at)

order_line = _record(
    "order_line",
    big("order_id"),
    text("title"),
    text("variant_title", nullable=True),
    text("sku", nullable=True),
    text("vendor", nullable=True),
    Column("quantity", Integer, nullable=False),
    Column("current_quantity", Integer, nullable=False),
    big("product_id", nullable=True),
    big("variant_id", nullable=True),
    Column("unit_price", Numeric, nullable=False),
    Column("discounted_total", Numeric, nullable=False),
    Column("discount", Numeric, nullable=False),
    Column("taxable", Boolean, nullable=False),
    Column("requires_shipping", Boolean, nullable=False),
    Column("is_gift_card", Boolean, nullable=False),
)
Index("order_line_order_idx", order_line.c.store_id, order_line.c.order_id)
Index("order_line_variant_idx", order_line.c.store_id, order_line.c.variant_id)

refund = _part(
    "refund",
    "order_id",
    moment("created_at", nullable=True),
    text("note", nullable=True),
    Column("amount", Numeric, nullable=False),
)

# Of an order too, by which it is found; the refund itself comes in the order's line.
refund_line = _record(
    "refund_line",
    big("order_id"),
    big("refund_id"),
    big("line_id"),
    Column("quantity", Integer, nullable=False),
    text("restock_type"),
    Column("is_restocked", Boolean, nullable=False),
    big("location_id", nullable=True),
    Column("price", Numeric, nullable=False),
    Column("subtotal", Numeric, nullable=False),
    Column("tax", Numeric, nullable=False),
)
Index("refund_line_order_idx", refund_line.c.store_id, refund_line.c.order_id)
Index("refund_line_line_idx", refund_line.c.store_id, refund_line.c.line_id)

fulfillment = _part(
    "fulfillment",
    "order_id",
    text("name"),
    text("status"),
    text("display_status", nullable=True),
    Column("quantity", Integer, nullable=False),
    big("location_id", nullable=True),
    json("tracking"),
    moment("created_at", nullable=True),
    moment("updated_at", nullable=True),
)

order_transaction = _part(
    "order_transaction",
    "order_id",
    text("kind"),
    text("status"),
    text("gateway", nullable=True),
    Column("amount", Numeric, nullable=False),
    Column("is_test", Boolean, nullable=False),
    big("parent_id", nullable=True),
    moment("created_at", nullable=True),
    moment("processed_at", nullable=True),
)

customer = _record(
    "customer",
    text("first_name", nullable=True),
    text("last_name", nullable=True),
    text("email", nullable=True),
    text("email_marketing", nullable=True),
    text("phone", nullable=True),
    text("state"),
    Column("tags", ARRAY(Text), nullable=False),
    text("note", nullable=True),
    text("locale"),
    Column("is_email_verified", Boolean, nullable=False),
    Column("is_tax_exempt", Boolean, nullable=False),
    big("orders_count"),
    Column("amount_spent", Numeric, nullable=False),
    big("default_address_id", nullable=True),
    moment("created_at", nullable=True),
    big("parts_hash"),
)
Index("customer_email_idx", customer.c.store_id, customer.c.email)

customer_address = _part(
    "customer_address",
    "customer_id",
    text("first_name", nullable=True),
    text("last_name", nullable=True),
    text("company", nullable=True),
    text("address1", nullable=True),
    text("address2", nullable=True),
    text("city", nullable=True),
    text("province", nullable=True),
    text("province_code", nullable=True),
    text("country_code", nullable=True),
    text("zip", nullable=True),
    text("phone", nullable=True),
)

# Records of the store that were emptied of a person: what the store sends of them again is emptied before it is
# written. They stand apart from their rows, for some come only later, and a row may be made anew.
redaction = Table(
    "redaction",
    METADATA,
    store_key(),
    Column("kind", Text, primary_key=True),
    _number("number"),
    tenant_column(),
    moment("redacted_at"),
)

# The same of a shop that is not connected: connected again it has another store's id, and whoever was erased for good
# must not come back with it.
kept_out = Table(
    "kept_out",
    METADATA,
    Column("tenant_id", Uuid, primary_key=True),
    Column("shop_domain", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    _number("number"),
    moment("redacted_at"),
)

# What hangs on a record goes with it: after each pull the few that are gone are looked up.
for _parent in (product, variant, collection, shop_order, customer):
    Index(
        f"{_parent.name}_gone_idx",
        _parent.c.store_id,
        _parent.c.id,
        postgresql_where=_parent.c.deleted_at.is_not(None),
    )
