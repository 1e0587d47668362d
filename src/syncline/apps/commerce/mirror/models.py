"""One row per record of a store, keyed by the store's own ids.

`source_updated_at` is the record's version as the store gave it, `line_hash` the hash of the raw line last read
(equal: nothing
to look at), `content_hash` the hash of what we keep of it (equal: nothing to write). A deleted record stays as a
tombstone (`deleted_at`), so that an older line cannot bring it back.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Numeric, Table, Text
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


product = Table(
    "product",
    METADATA,
    store_key(),
    big("id", primary_key=True, autoincrement=False),
    tenant_column(),
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
    *_versions(),
)
Index("product_handle_idx", product.c.store_id, product.c.handle)
Index("product_vendor_idx", product.c.store_id, product.c.vendor)

variant = Table(
    "variant",
    METADATA,
    store_key(),
    big("id", primary_key=True, autoincrement=False),
    tenant_column(),
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
    *_versions(),
)
Index("variant_product_idx", variant.c.store_id, variant.c.product_id)
Index("variant_item_idx", variant.c.store_id, variant.c.inventory_item_id)

location = Table(
    "location",
    METADATA,
    store_key(),
    big("id", primary_key=True, autoincrement=False),
    tenant_column(),
    text("name"),
    Column("is_active", Boolean, nullable=False),
    *_versions(),
)

inventory_level = Table(
    "inventory_level",
    METADATA,
    store_key(),
    big("inventory_item_id", primary_key=True, autoincrement=False),
    big("location_id", primary_key=True, autoincrement=False),
    tenant_column(),
    Column("available", Integer, nullable=True),
    Column("on_hand", Integer, nullable=True),
    Column("committed", Integer, nullable=True),
    Column("incoming", Integer, nullable=True),
    *_versions(),
)
