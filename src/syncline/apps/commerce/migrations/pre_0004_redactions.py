"""Records of the store that were emptied of a person, and stay so."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0004"
down_revision = "commerce_0003"
branch_labels = None
depends_on = None

DEFINITION = """
CREATE TABLE commerce.redaction (
    store_id uuid NOT NULL,
    kind text NOT NULL,
    number bigint NOT NULL,
    tenant_id uuid NOT NULL,
    redacted_at timestamptz NOT NULL,
    CONSTRAINT pk_redaction PRIMARY KEY (store_id, kind, number)
);
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    isolate_tenant("commerce.redaction")


def downgrade() -> None:
    op.execute("DROP TABLE commerce.redaction")
