"""What an event and a dead letter came from, and how often a delivery was begun."""

from __future__ import annotations

from alembic import op

revision = "runtime_0008"
down_revision = "runtime_0007"
branch_labels = None
depends_on = None

# `correlation` is the id of the request that a row goes back to; none where nobody asked. `starts` counts the relays
# that began with a delivery, the last of them `started_by` at `started_at`, and did not come to its end.
UP = """
ALTER TABLE bus.outbox ADD COLUMN correlation text;
ALTER TABLE bus.delivery
    ADD COLUMN starts integer NOT NULL DEFAULT 0, ADD COLUMN started_by uuid, ADD COLUMN started_at timestamptz;
ALTER TABLE bus.dead_letter ADD COLUMN correlation text;
ALTER TABLE jobs.dead_letter ADD COLUMN correlation text;
CREATE INDEX dead_letter_tenant ON bus.dead_letter (tenant, last_at DESC);
"""

DOWN = """
DROP INDEX bus.dead_letter_tenant;
ALTER TABLE jobs.dead_letter DROP COLUMN correlation;
ALTER TABLE bus.dead_letter DROP COLUMN correlation;
ALTER TABLE bus.delivery DROP COLUMN starts, DROP COLUMN started_by, DROP COLUMN started_at;
ALTER TABLE bus.outbox DROP COLUMN correlation;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(DOWN)
