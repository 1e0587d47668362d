"""Bulk operations, the batches they were cut into, and the products they could not change."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0006"
down_revision = "commerce_0005"
branch_labels = None
depends_on = None

DEFINITION = """
CREATE TABLE commerce.batch_run (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    operation text NOT NULL,
    updates jsonb NOT NULL,
    summary text NOT NULL,
    search text,
    product_ids bigint[] NOT NULL,
    note text,
    job_key text,
    status text NOT NULL,
    requested_by text NOT NULL,
    requested_by_id uuid,
    epoch integer NOT NULL,
    total integer,
    processed integer NOT NULL,
    staged integer NOT NULL,
    unchanged integer NOT NULL,
    waiting integer NOT NULL,
    refused integer NOT NULL,
    parts integer NOT NULL,
    error text,
    retries_id uuid,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT pk_batch_run PRIMARY KEY (id)
);
CREATE INDEX batch_run_store_idx ON commerce.batch_run (tenant_id, store_id, id);
CREATE UNIQUE INDEX batch_run_key_idx ON commerce.batch_run (tenant_id, job_key) WHERE job_key IS NOT NULL;
CREATE UNIQUE INDEX batch_run_retries_idx ON commerce.batch_run (tenant_id, retries_id) WHERE retries_id IS NOT NULL;
CREATE TABLE commerce.batch_part (
    run_id uuid NOT NULL,
    number integer NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    batch_id uuid,
    products integer NOT NULL,
    staged integer NOT NULL,
    unchanged integer NOT NULL,
    waiting integer NOT NULL,
    refused integer NOT NULL,
    CONSTRAINT pk_batch_part PRIMARY KEY (run_id, number)
);
CREATE TABLE commerce.batch_refusal (
    run_id uuid NOT NULL,
    product_id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    label text NOT NULL,
    field text,
    sentence text NOT NULL,
    CONSTRAINT pk_batch_refusal PRIMARY KEY (run_id, product_id)
);
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    for table in ("batch_run", "batch_part", "batch_refusal"):
        isolate_tenant(f"commerce.{table}")


def downgrade() -> None:
    op.execute("DROP TABLE commerce.batch_refusal, commerce.batch_part, commerce.batch_run")
