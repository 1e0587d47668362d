"""Who was erased for good from a shop that is not connected at the moment."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0009"
down_revision = "commerce_0008"
branch_labels = None
depends_on = None

DEFINITION = """
CREATE TABLE commerce.kept_out (
    tenant_id uuid NOT NULL,
    shop_domain text NOT NULL,
    kind text NOT NULL,
    number bigint NOT NULL,
    redacted_at timestamptz NOT NULL,
    CONSTRAINT pk_kept_out PRIMARY KEY (tenant_id, shop_domain, kind, number)
);
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    isolate_tenant("commerce.kept_out")


def downgrade() -> None:
    op.execute("DROP TABLE commerce.kept_out")
