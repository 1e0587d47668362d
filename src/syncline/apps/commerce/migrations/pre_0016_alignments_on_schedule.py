"""Schedules that copy fields from another store."""

from __future__ import annotations

from alembic import op

revision = "commerce_0016"
down_revision = "commerce_0015"
branch_labels = None
depends_on = None

DEFINITION = """
ALTER TABLE commerce.schedule
    ADD COLUMN source_id uuid,
    ADD COLUMN alignment jsonb,
    ADD COLUMN alignment_key text NOT NULL DEFAULT '',
    ADD CONSTRAINT schedule_source_fkey FOREIGN KEY (source_id) REFERENCES commerce.store (id) ON DELETE CASCADE,
    DROP CONSTRAINT schedule_same_key,
    ADD CONSTRAINT schedule_same_key UNIQUE (store_id, action, timing, zone, alignment_key);
"""

# An earlier release knows no such action.
BACK = """
ALTER TABLE commerce.schedule NO FORCE ROW LEVEL SECURITY;
DELETE FROM commerce.schedule WHERE action = 'align';
ALTER TABLE commerce.schedule FORCE ROW LEVEL SECURITY;
ALTER TABLE commerce.schedule
    DROP CONSTRAINT schedule_same_key,
    DROP COLUMN alignment_key,
    DROP COLUMN alignment,
    DROP COLUMN source_id,
    ADD CONSTRAINT schedule_same_key UNIQUE (store_id, action, timing, zone);
"""


def upgrade() -> None:
    op.execute(DEFINITION)


def downgrade() -> None:
    op.execute(BACK)
