from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, Uuid

from syncline.apps.commerce.tables import METADATA, big, id_column, json, moment, tenant_column, text

# Whether a store's webhooks are kept up, and where they are sent. `gap_since` is the last time all was known to be
# well, while webhooks may be missing since; it is None once what was missed was looked for.
webhook_watch = Table(
    "webhook_watch",
    METADATA,
    Column("store_id", Uuid, primary_key=True),
    tenant_column(),
    text("address"),
    moment("registered_at"),
    moment("checked_at", nullable=True),
    moment("good_at", nullable=True),
    text("sentence", nullable=True),
    text("api_version", nullable=True),
    moment("gap_since", nullable=True),
    text("gap_reason", nullable=True),
    moment("caught_up_at", nullable=True),
)

# What a store is to send. `number` is Shopify's, None while there is none.
webhook_subscription = Table(
    "webhook_subscription",
    METADATA,
    Column("store_id", Uuid, nullable=False),
    tenant_column(),
    text("topic"),
    big("number", nullable=True),
    text("state"),
    text("reason", nullable=True),
    moment("since", nullable=True),
    moment("changed_at"),
    PrimaryKeyConstraint("store_id", "topic", name="pk_webhook_subscription"),
)

# One look at what webhooks missed. `kinds` is a list of {kind, compared, missed, reasons}.
webhook_catch_up = Table(
    "webhook_catch_up",
    METADATA,
    id_column(),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    text("cause"),
    moment("since"),
    moment("until"),
    Column("compared", Integer, nullable=False),
    Column("missed", Integer, nullable=False),
    Column("repaired", Integer, nullable=False),
    json("kinds"),
    text("sentence"),
    moment("ended_at"),
)
Index("webhook_catch_up_store_idx", webhook_catch_up.c.store_id, webhook_catch_up.c.ended_at)

# A record that no webhook told of, and why.
webhook_miss = Table(
    "webhook_miss",
    METADATA,
    Column("catch_up_id", Uuid, nullable=False),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    text("kind"),
    big("number"),
    text("what"),
    text("reason"),
    Column("event_id", Uuid, nullable=True),
    PrimaryKeyConstraint("catch_up_id", "kind", "number", name="pk_webhook_miss"),
)
