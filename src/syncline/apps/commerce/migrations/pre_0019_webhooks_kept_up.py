"""Webhooks a store is to send, what was missed, and requests for people with the day they are due."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0019"
down_revision = "commerce_0018"
branch_labels = None
depends_on = None

DEFINITION = """
CREATE TABLE commerce.webhook_watch (
    store_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    address text NOT NULL,
    registered_at timestamptz NOT NULL,
    checked_at timestamptz,
    good_at timestamptz,
    sentence text,
    api_version text,
    gap_since timestamptz,
    gap_reason text,
    caught_up_at timestamptz,
    CONSTRAINT pk_webhook_watch PRIMARY KEY (store_id)
);
CREATE TABLE commerce.webhook_subscription (
    store_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    topic text NOT NULL,
    number bigint,
    state text NOT NULL,
    reason text,
    since timestamptz,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_webhook_subscription PRIMARY KEY (store_id, topic)
);
CREATE TABLE commerce.webhook_catch_up (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    cause text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    compared integer NOT NULL,
    missed integer NOT NULL,
    repaired integer NOT NULL,
    kinds jsonb NOT NULL,
    sentence text NOT NULL,
    ended_at timestamptz NOT NULL,
    CONSTRAINT pk_webhook_catch_up PRIMARY KEY (id)
);
CREATE INDEX webhook_catch_up_store_idx ON commerce.webhook_catch_up (store_id, ended_at);
CREATE TABLE commerce.webhook_miss (
    catch_up_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    kind text NOT NULL,
    number bigint NOT NULL,
    what text NOT NULL,
    reason text NOT NULL,
    event_id uuid,
    CONSTRAINT pk_webhook_miss PRIMARY KEY (catch_up_id, kind, number)
);
CREATE TABLE commerce.privacy_request (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    of_store uuid NOT NULL,
    store text NOT NULL,
    shop_domain text NOT NULL,
    topic text NOT NULL,
    reference text NOT NULL,
    customer bigint,
    orders jsonb NOT NULL,
    status text NOT NULL,
    received_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    event_id uuid,
    work_id uuid,
    sentence text,
    reminded_at timestamptz,
    completed_at timestamptz,
    completed_by text,
    CONSTRAINT pk_privacy_request PRIMARY KEY (id),
    CONSTRAINT privacy_request_reference_key UNIQUE (of_store, topic, reference)
);
CREATE INDEX privacy_request_open_idx ON commerce.privacy_request (tenant_id, due_at) WHERE completed_at IS NULL;
"""
TABLES = ("webhook_watch", "webhook_subscription", "webhook_catch_up", "webhook_miss", "privacy_request")


def upgrade() -> None:
    op.execute(DEFINITION)
    for table in TABLES:
        isolate_tenant(f"commerce.{table}")


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(f'commerce.{table}' for table in TABLES)}")
