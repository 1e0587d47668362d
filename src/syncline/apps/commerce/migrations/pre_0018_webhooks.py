"""Webhooks as they were received, what is still to be read because of them, and what was refused at the door."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant, store_wide

revision = "commerce_0018"
down_revision = "commerce_0017"
branch_labels = None
depends_on = None

DEFINITION = """
CREATE TABLE commerce.webhook_event (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    delivery_id text NOT NULL,
    action_id text,
    topic text NOT NULL,
    api_version text NOT NULL,
    name text,
    triggered_at timestamptz,
    received_at timestamptz NOT NULL,
    correlation_id text NOT NULL,
    body_bytes integer NOT NULL,
    body_hash bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    due_at timestamptz NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    outcome text,
    reason text,
    kind text,
    number bigint,
    version timestamptz,
    first_failed_at timestamptz,
    last_failed_at timestamptz,
    settled_at timestamptz,
    CONSTRAINT pk_webhook_event PRIMARY KEY (id),
    CONSTRAINT webhook_event_delivery_key UNIQUE (store_id, delivery_id)
);
CREATE INDEX webhook_event_due_idx ON commerce.webhook_event (store_id, due_at) WHERE state IN ('waiting', 'failed');
CREATE INDEX webhook_event_tenant_idx ON commerce.webhook_event (tenant_id, received_at);
CREATE INDEX webhook_event_record_idx ON commerce.webhook_event (store_id, kind, number) WHERE number IS NOT NULL;
CREATE INDEX webhook_event_trouble_idx ON commerce.webhook_event (tenant_id, last_failed_at)
    WHERE state IN ('failed', 'dead');
CREATE TABLE commerce.webhook_body (
    event_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT pk_webhook_body PRIMARY KEY (event_id)
);
CREATE TABLE commerce.webhook_reading (
    store_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    stream text NOT NULL,
    number bigint NOT NULL,
    second bigint NOT NULL DEFAULT 0,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    reason text,
    CONSTRAINT pk_webhook_reading PRIMARY KEY (store_id, stream, number, second)
);
CREATE TABLE commerce.webhook_refusal (
    shop_domain text NOT NULL,
    reason text NOT NULL,
    topic text NOT NULL,
    count bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    CONSTRAINT pk_webhook_refusal PRIMARY KEY (shop_domain, reason)
);
"""
TABLES = ("webhook_event", "webhook_body", "webhook_reading")


def upgrade() -> None:
    op.execute(DEFINITION)
    for table in TABLES:
        isolate_tenant(f"commerce.{table}")
    store_wide("commerce.webhook_body", "body")


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(f'commerce.{table}' for table in TABLES)}, commerce.webhook_refusal")
