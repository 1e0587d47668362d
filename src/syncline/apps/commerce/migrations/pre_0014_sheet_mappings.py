"""What the columns of people's own sheets mean."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0014"
down_revision = "commerce_0013"
branch_labels = None
depends_on = None

DEFINITION = """
CREATE TABLE commerce.sheet_mapping (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    columns jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_sheet_mapping PRIMARY KEY (tenant_id, name)
);
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    isolate_tenant("commerce.sheet_mapping")


def downgrade() -> None:
    op.execute("DROP TABLE commerce.sheet_mapping")
