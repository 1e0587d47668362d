"""What Smartlead counted of a campaign before it was read, so that one in which nothing happened need not be."""

from __future__ import annotations

from alembic import op

revision = "outreach_0011"
down_revision = "outreach_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE outreach.sync_mark
            ADD COLUMN mails bigint,
            ADD COLUMN counters jsonb,
            ADD COLUMN whole_at timestamptz,
            ADD COLUMN is_settled boolean NOT NULL DEFAULT false
    """)
    op.execute("""
        ALTER TABLE outreach.sync_chunk
            ADD COLUMN counters jsonb,
            ADD COLUMN is_unmoved boolean NOT NULL DEFAULT false
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE outreach.sync_chunk DROP COLUMN is_unmoved, DROP COLUMN counters")
    op.execute(
        "ALTER TABLE outreach.sync_mark"
        " DROP COLUMN is_settled, DROP COLUMN whole_at, DROP COLUMN counters, DROP COLUMN mails"
    )
