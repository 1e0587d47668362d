"""Changes made in the store itself can be staged for review."""

from __future__ import annotations

from alembic import op

revision = "commerce_0013"
down_revision = "commerce_0012"
branch_labels = None
depends_on = None

DEFINITION = """
ALTER TABLE commerce.store ADD COLUMN review text NOT NULL DEFAULT 'none';
ALTER TABLE commerce.staged_change ADD COLUMN direction text NOT NULL DEFAULT 'outbound';
CREATE INDEX staged_change_inbound_idx ON commerce.staged_change (store_id, kind, resource_id)
    WHERE direction = 'inbound' AND status = 'pending';
"""

# An earlier release would send what is approved, and must find nothing of it.
BACK = """
ALTER TABLE commerce.staged_change NO FORCE ROW LEVEL SECURITY;
UPDATE commerce.staged_change SET status = 'skipped'
    WHERE direction = 'inbound' AND status IN ('pending', 'approved', 'accepted');
ALTER TABLE commerce.staged_change FORCE ROW LEVEL SECURITY;
DROP INDEX commerce.staged_change_inbound_idx;
ALTER TABLE commerce.staged_change DROP COLUMN direction;
ALTER TABLE commerce.store DROP COLUMN review;
"""


def upgrade() -> None:
    op.execute(DEFINITION)


def downgrade() -> None:
    op.execute(BACK)
