"""Who may approve in a tenant, and which person staged a batch."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0005"
down_revision = "commerce_0004"
branch_labels = None
depends_on = None

DEFINITION = """
CREATE TABLE commerce.review_rule (
    tenant_id uuid NOT NULL,
    four_eyes boolean NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_review_rule PRIMARY KEY (tenant_id)
);
ALTER TABLE commerce.change_batch ADD COLUMN author_id uuid;
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    isolate_tenant("commerce.review_rule")


def downgrade() -> None:
    op.execute("DROP TABLE commerce.review_rule; ALTER TABLE commerce.change_batch DROP COLUMN author_id")
