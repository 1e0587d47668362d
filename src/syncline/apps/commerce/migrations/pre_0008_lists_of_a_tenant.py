"""A tenant's lists of changes and batches are found by the tenant first, however many others have."""

from __future__ import annotations

from alembic import op

revision = "commerce_0008"
down_revision = "commerce_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX staged_change_tenant_idx ON commerce.staged_change (tenant_id, id)")
    op.execute("CREATE INDEX change_batch_tenant_idx ON commerce.change_batch (tenant_id, id)")


def downgrade() -> None:
    op.execute("DROP INDEX commerce.staged_change_tenant_idx; DROP INDEX commerce.change_batch_tenant_idx")
