"""Limits that are changed while running: for the installation, and for single tenants."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "runtime_0006"
down_revision = "runtime_0005"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE controls.limit_rate (
    name text PRIMARY KEY,
    rate text NOT NULL,
    actor text NOT NULL,
    since timestamptz NOT NULL
);

CREATE TABLE controls.tenant_limit_rate (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    rate text NOT NULL,
    by_operator boolean NOT NULL,
    actor text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
    isolate_tenant("controls.tenant_limit_rate")


def downgrade() -> None:
    op.execute("DROP TABLE controls.tenant_limit_rate, controls.limit_rate")
