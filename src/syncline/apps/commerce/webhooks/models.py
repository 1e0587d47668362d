from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
    Uuid,
)

from syncline.apps.commerce.tables import METADATA, big, id_column, moment, tenant_column, text

# One delivery of a webhook. `action_id` is the merchant's action, the same over all topics it fired. What the body is
# about (`kind`, `number`, `version`) is known once it was read. `due_at` is when it is looked at next. `lone_starts` is
# how often in a row it was tried by itself by a worker that did not come back.
webhook_event = Table(
    "webhook_event",
    METADATA,
    id_column(),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    text("delivery_id"),
    text("action_id", nullable=True),
    text("topic"),
    text("api_version"),
    text("name", nullable=True),
    moment("triggered_at", nullable=True),
    moment("received_at"),
    text("correlation_id"),
    Column("body_bytes", Integer, nullable=False),
    Column("body_hash", BigInteger, nullable=False),
    text("state", server_default="waiting"),
    moment("due_at"),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("lone_starts", SmallInteger, nullable=False, server_default="0"),
    text("outcome", nullable=True),
    text("reason", nullable=True),
    text("kind", nullable=True),
    big("number", nullable=True),
    moment("version", nullable=True),
    moment("first_failed_at", nullable=True),
    moment("last_failed_at", nullable=True),
    moment("settled_at", nullable=True),
    UniqueConstraint("store_id", "delivery_id", name="webhook_event_delivery_key"),
)
Index(
    "webhook_event_due_idx",
    webhook_event.c.store_id,
    webhook_event.c.due_at,
    postgresql_where=webhook_event.c.state.in_(("waiting", "failed")),
)
Index("webhook_event_tenant_idx", webhook_event.c.tenant_id, webhook_event.c.received_at)
Index(
    "webhook_event_record_idx",
    webhook_event.c.store_id,
    webhook_event.c.kind,
    webhook_event.c.number,
    postgresql_where=webhook_event.c.number.is_not(None),
)
Index(
    "webhook_event_trouble_idx",
    webhook_event.c.tenant_id,
    webhook_event.c.last_failed_at,
    postgresql_where=webhook_event.c.state.in_(("failed", "dead")),
)

# Which of them are dead letters, without row security: for who looks through all tenants. Ids are all it holds. Kept by
# triggers of `webhook_event`, so that it is right whoever changes a state.
webhook_dead = Table(
    "webhook_dead",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("tenant", Uuid, nullable=False),
)
Index("webhook_dead_tenant_idx", webhook_dead.c.tenant)

# Apart from its event, so that a change of state does not write the body again, and so that it may go before it.
webhook_body = Table(
    "webhook_body",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# Records of which a webhook did not say all that the mirror holds: to be read from the store, once for however many
# webhooks. `second` is the other half of a key of two, else 0.
webhook_reading = Table(
    "webhook_reading",
    METADATA,
    Column("store_id", Uuid, nullable=False),
    tenant_column(),
    text("stream"),
    big("number"),
    big("second", server_default="0"),
    moment("asked_at"),
    moment("due_at"),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    text("reason", nullable=True),
    PrimaryKeyConstraint("store_id", "stream", "number", "second", name="pk_webhook_reading"),
)

# What was refused at the door, counted and not kept: whoever knocks is no tenant of ours. Bounded in rows.
webhook_refusal = Table(
    "webhook_refusal",
    METADATA,
    text("shop_domain"),
    text("reason"),
    text("topic"),
    big("count"),
    moment("first_at"),
    moment("last_at"),
    PrimaryKeyConstraint("shop_domain", "reason", name="pk_webhook_refusal"),
)
