"""The audit trail: entries that are only added, and the end of each tenant's chain of hashes."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import create_schema, drop_schema, isolate_tenant
from syncline.runtime.db.names import APP_ROLE

revision = "runtime_0003"
down_revision = "runtime_0002"
branch_labels = None
depends_on = None

# `content` is the entry as canonical JSON, word for word what was hashed; the columns repeat of it what is searched.
TABLES = """
CREATE TABLE audit.entry (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    outcome text NOT NULL,
    correlation_id text,
    content text NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, number)
);
CREATE INDEX entry_at ON audit.entry (tenant_id, at);
CREATE INDEX entry_actor ON audit.entry (tenant_id, actor, number);
CREATE INDEX entry_action ON audit.entry (tenant_id, action, number);

CREATE TABLE audit.chain (
    tenant_id uuid PRIMARY KEY,
    number bigint NOT NULL,
    hash bytea NOT NULL
);

CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the audit trail are neither changed nor removed'
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER entry_stays BEFORE UPDATE OR DELETE ON audit.entry FOR EACH ROW EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER entries_stay BEFORE TRUNCATE ON audit.entry FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
"""


def upgrade() -> None:
    create_schema("audit")
    op.get_bind().exec_driver_sql(TABLES)
    isolate_tenant("audit.entry")
    isolate_tenant("audit.chain")
    # The trigger stops the owner, who could take it away; the application role has not even the right.
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON audit.entry FROM {APP_ROLE}")
    op.execute(f"REVOKE DELETE, TRUNCATE ON audit.chain FROM {APP_ROLE}")


def downgrade() -> None:
    op.execute("DROP TABLE audit.chain, audit.entry")
    op.execute("DROP FUNCTION audit.refuse")
    drop_schema("audit")
