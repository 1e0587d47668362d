"""Connections, runs of the full sync with their chunks, receipts, people, webhooks and completions."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "outreach_0010"
down_revision = "outreach_0001"
branch_labels = None
depends_on = None

# `directory` has no tenant's rows: it says whose something is before a tenant is known, by ids and digests alone.
DEFINITION = """
CREATE TABLE outreach.connection (
    tenant_id uuid NOT NULL,
    platform text NOT NULL,
    facts jsonb NOT NULL,
    sealed bytea NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    checked_at timestamptz,
    sentence text,
    CONSTRAINT pk_connection PRIMARY KEY (tenant_id, platform)
);
CREATE TABLE outreach.directory (
    kind text NOT NULL,
    name text NOT NULL,
    tenant uuid NOT NULL,
    CONSTRAINT pk_directory PRIMARY KEY (kind, name, tenant)
);
CREATE TABLE outreach.sync_run (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    mode text NOT NULL,
    namespaces text[] NOT NULL,
    config jsonb NOT NULL,
    read_until timestamptz NOT NULL,
    stage text NOT NULL,
    sentence text,
    requested_by text NOT NULL,
    people bigint NOT NULL,
    removed bigint NOT NULL,
    report jsonb,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT pk_sync_run PRIMARY KEY (id)
);
CREATE INDEX sync_run_tenant_idx ON outreach.sync_run (tenant_id, created_at);
CREATE TABLE outreach.sync_claim (
    tenant_id uuid NOT NULL,
    namespace text NOT NULL,
    run_id uuid NOT NULL,
    CONSTRAINT pk_sync_claim PRIMARY KEY (tenant_id, namespace),
    CONSTRAINT fk_sync_claim_run_id FOREIGN KEY(run_id) REFERENCES outreach.sync_run (id) ON DELETE CASCADE
);
CREATE TABLE outreach.sync_chunk (
    run_id uuid NOT NULL,
    number integer NOT NULL,
    tenant_id uuid NOT NULL,
    platform text NOT NULL,
    namespace text NOT NULL,
    campaign_id text NOT NULL,
    campaign text NOT NULL,
    since timestamptz,
    until timestamptz NOT NULL,
    status text NOT NULL,
    worker integer,
    cursor text,
    expected bigint,
    read bigint NOT NULL,
    created bigint NOT NULL,
    unusable bigint NOT NULL,
    sentence text,
    CONSTRAINT pk_sync_chunk PRIMARY KEY (run_id, number),
    CONSTRAINT fk_sync_chunk_run_id FOREIGN KEY(run_id) REFERENCES outreach.sync_run (id) ON DELETE CASCADE
);
CREATE INDEX sync_chunk_open_idx ON outreach.sync_chunk (run_id, number) WHERE status <> 'done';
CREATE TABLE outreach.sync_mark (
    tenant_id uuid NOT NULL,
    platform text NOT NULL,
    campaign_id text NOT NULL,
    namespace text NOT NULL,
    until timestamptz NOT NULL,
    CONSTRAINT pk_sync_mark PRIMARY KEY (tenant_id, platform, campaign_id, namespace)
);
CREATE TABLE outreach.sync_state (
    tenant_id uuid NOT NULL,
    job text NOT NULL,
    is_enabled boolean NOT NULL,
    last_run_at timestamptz,
    last_good_at timestamptz,
    sentence text,
    alerted_at timestamptz,
    CONSTRAINT pk_sync_state PRIMARY KEY (tenant_id, job)
);
CREATE TABLE outreach.staged_event (
    run_id uuid NOT NULL,
    event_key text NOT NULL,
    tenant_id uuid NOT NULL,
    namespace text NOT NULL,
    platform text NOT NULL,
    occurred_at timestamptz NOT NULL,
    event jsonb NOT NULL,
    CONSTRAINT pk_staged_event PRIMARY KEY (run_id, event_key),
    CONSTRAINT fk_staged_event_run_id FOREIGN KEY(run_id) REFERENCES outreach.sync_run (id) ON DELETE CASCADE
);
CREATE TABLE outreach.receipt (
    tenant_id uuid NOT NULL,
    event_key text NOT NULL,
    namespace text NOT NULL,
    event text NOT NULL,
    distinct_id text NOT NULL,
    at_ms bigint NOT NULL,
    insert_id text NOT NULL,
    state text NOT NULL,
    batch_id uuid,
    sentence text,
    delivered_at timestamptz,
    CONSTRAINT pk_receipt PRIMARY KEY (tenant_id, event_key)
);
CREATE INDEX receipt_at_idx ON outreach.receipt (tenant_id, namespace, at_ms);
CREATE INDEX receipt_batch_idx ON outreach.receipt (batch_id) WHERE state = 'sending';
CREATE INDEX receipt_waiting_idx ON outreach.receipt (tenant_id, at_ms) WHERE state = 'waiting';
CREATE TABLE outreach.delivery_batch (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    count integer NOT NULL,
    sent_at timestamptz NOT NULL,
    CONSTRAINT pk_delivery_batch PRIMARY KEY (id)
);
CREATE INDEX delivery_batch_tenant_idx ON outreach.delivery_batch (tenant_id);
CREATE TABLE outreach.person (
    tenant_id uuid NOT NULL,
    namespace text NOT NULL,
    email text NOT NULL,
    first_name text,
    last_name text,
    company text,
    last_event text NOT NULL,
    last_event_at timestamptz NOT NULL,
    is_wanted boolean NOT NULL,
    is_changed boolean NOT NULL,
    record_id text,
    sentence text,
    CONSTRAINT pk_person PRIMARY KEY (tenant_id, namespace, email)
);
CREATE INDEX person_changed_idx ON outreach.person (tenant_id) WHERE is_changed AND is_wanted;
CREATE TABLE outreach.webhook_door (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    platform text NOT NULL,
    digest bytea NOT NULL,
    sealed_secret bytea NOT NULL,
    vendor_id text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_webhook_door PRIMARY KEY (id),
    CONSTRAINT uq_webhook_door_digest UNIQUE (digest)
);
CREATE INDEX webhook_door_tenant_idx ON outreach.webhook_door (tenant_id);
CREATE TABLE outreach.webhook (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    platform text NOT NULL,
    digest bytea NOT NULL,
    body bytea NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    sentence text,
    received_at timestamptz NOT NULL,
    CONSTRAINT pk_webhook PRIMARY KEY (id)
);
CREATE UNIQUE INDEX webhook_same_idx ON outreach.webhook (tenant_id, digest);
CREATE INDEX webhook_waiting_idx ON outreach.webhook (tenant_id, received_at) WHERE state = 'waiting';
CREATE TABLE outreach.completion (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    host text NOT NULL,
    sealed_url bytea NOT NULL,
    body jsonb,
    status text NOT NULL,
    attempts integer NOT NULL,
    sentence text,
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    CONSTRAINT pk_completion PRIMARY KEY (id),
    CONSTRAINT uq_completion_run_id UNIQUE (run_id),
    CONSTRAINT fk_completion_run_id FOREIGN KEY(run_id) REFERENCES outreach.sync_run (id) ON DELETE CASCADE
);
CREATE INDEX completion_tenant_idx ON outreach.completion (tenant_id, created_at);
CREATE TABLE outreach.signing (
    tenant_id uuid NOT NULL,
    sealed_secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_signing PRIMARY KEY (tenant_id)
);
"""
_TABLES = (
    "connection",
    "sync_run",
    "sync_claim",
    "sync_chunk",
    "sync_mark",
    "sync_state",
    "staged_event",
    "receipt",
    "delivery_batch",
    "person",
    "webhook_door",
    "webhook",
    "completion",
    "signing",
)


def upgrade() -> None:
    op.execute(DEFINITION)
    for table in _TABLES:
        isolate_tenant(f"outreach.{table}")


def downgrade() -> None:
    op.execute(f"DROP TABLE outreach.directory, {', '.join(f'outreach.{table}' for table in _TABLES)}")
