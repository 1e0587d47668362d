"""How often a webhook was tried by itself by a worker that did not come back."""

from __future__ import annotations

from alembic import op

revision = "commerce_0020"
down_revision = "commerce_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE commerce.webhook_event ADD COLUMN lone_starts smallint NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE commerce.webhook_event DROP COLUMN lone_starts")
