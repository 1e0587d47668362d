"""What is stopped: in the whole installation, and in each tenant."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import create_schema, drop_schema, isolate_tenant

revision = "runtime_0004"
down_revision = "runtime_0003"
branch_labels = None
depends_on = None

# `subject` is the id of a store, or empty for the tenant as a whole.
TABLES = """
CREATE TABLE controls.installation (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    mode text NOT NULL CHECK (mode IN ('no-writes', 'maintenance')),
    reason text NOT NULL,
    actor text NOT NULL,
    since timestamptz NOT NULL
);

CREATE TABLE controls.pause (
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, subject)
);
"""


def upgrade() -> None:
    create_schema("controls")
    op.get_bind().exec_driver_sql(TABLES)
    isolate_tenant("controls.pause")


def downgrade() -> None:
    op.execute("DROP TABLE controls.pause, controls.installation")
    drop_schema("controls")
