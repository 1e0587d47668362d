from __future__ import annotations

from sqlalchemy import Column, Index, Table, UniqueConstraint, Uuid

from syncline.apps.commerce.tables import METADATA, big, id_column, json, moment, tenant_column, text

# One request of Shopify for a person or a shop. It outlives its store, so the store's id is not named `store_id` as
# everywhere, by which the rows of a removed store are found. Numbers only, no address: it is proof.
privacy_request = Table(
    "privacy_request",
    METADATA,
    id_column(),
    tenant_column(),
    Column("of_store", Uuid, nullable=False),
    text("store"),
    text("shop_domain"),
    text("topic"),
    text("reference"),
    big("customer", nullable=True),
    json("orders"),
    text("status"),
    moment("received_at"),
    moment("due_at"),
    Column("event_id", Uuid, nullable=True),
    Column("work_id", Uuid, nullable=True),
    text("sentence", nullable=True),
    moment("reminded_at", nullable=True),
    moment("completed_at", nullable=True),
    text("completed_by", nullable=True),
    UniqueConstraint("of_store", "topic", "reference", name="privacy_request_reference_key"),
)
Index(
    "privacy_request_open_idx",
    privacy_request.c.tenant_id,
    privacy_request.c.due_at,
    postgresql_where=privacy_request.c.completed_at.is_(None),
)
