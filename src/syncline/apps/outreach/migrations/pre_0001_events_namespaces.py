"""Events under their keys, and the namespaces they belong to."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import create_schema, drop_schema, isolate_tenant

revision = "outreach_0001"
down_revision = None
branch_labels = ("outreach",)
depends_on = None

# An operator reaches event_source by its bare name, empties it and loads it again from a dump: so no foreign key leads
# to it, and none from it, and its primary key is what callers know.
DEFINITION = """
CREATE TABLE outreach.event_source (
    tenant_id uuid NOT NULL,
    event_key text NOT NULL,
    platform text NOT NULL,
    campaign_id text NOT NULL,
    event_type text NOT NULL,
    email text,
    namespace text NOT NULL,
    activity_id text,
    timestamp_ms bigint,
    identity_hash bytea NOT NULL,
    occurred_at timestamptz,
    properties jsonb,
    source text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_event_source PRIMARY KEY (tenant_id, event_key)
);
CREATE INDEX event_source_namespace_idx ON outreach.event_source (tenant_id, namespace, occurred_at);
CREATE INDEX event_source_email_idx ON outreach.event_source (tenant_id, email) WHERE email IS NOT NULL;
CREATE TABLE outreach.namespace (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    keywords text[] NOT NULL,
    description text NOT NULL,
    is_active boolean NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_namespace PRIMARY KEY (tenant_id, name)
);
CREATE TABLE outreach.key_count (
    tenant_id uuid NOT NULL,
    generated bigint NOT NULL,
    collisions bigint NOT NULL,
    invalid bigint NOT NULL,
    CONSTRAINT pk_key_count PRIMARY KEY (tenant_id)
);
CREATE TABLE outreach.forgotten (
    tenant_id uuid NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT pk_forgotten PRIMARY KEY (tenant_id, digest)
);
"""
_TABLES = ("event_source", "namespace", "key_count", "forgotten")


def upgrade() -> None:
    create_schema("outreach")
    op.execute(DEFINITION)
    for table in _TABLES:
        isolate_tenant(f"outreach.{table}")


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(f'outreach.{table}' for table in _TABLES)}")
    drop_schema("outreach")
