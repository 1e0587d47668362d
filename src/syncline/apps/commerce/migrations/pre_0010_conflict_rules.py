"""How later conflicts are settled by themselves."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0010"
down_revision = "commerce_0009"
branch_labels = None
depends_on = None

DEFINITION = """
CREATE TABLE commerce.conflict_rule (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid,
    field text NOT NULL,
    choice text NOT NULL,
    created_by text NOT NULL,
    created_by_id uuid,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_conflict_rule PRIMARY KEY (id)
);
CREATE UNIQUE INDEX conflict_rule_same_idx ON commerce.conflict_rule (tenant_id, store_id, field) NULLS NOT DISTINCT;
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    isolate_tenant("commerce.conflict_rule")


def downgrade() -> None:
    op.execute("DROP TABLE commerce.conflict_rule")
