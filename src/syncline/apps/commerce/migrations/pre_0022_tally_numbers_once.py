"""Numbers of the tally's rows that no dump put back over living tables gives out again."""

from __future__ import annotations

from alembic import op

revision = "commerce_0022"
down_revision = "commerce_0021"
branch_labels = None
depends_on = None

# Made as those of jobs are: by the moment, and by the sequence only within a millisecond. A dump that is put back sets
# the sequence back, and staging would meet the numbers that were given since.
UP = """
ALTER TABLE commerce.change_tally ALTER COLUMN id DROP IDENTITY;
CREATE SEQUENCE commerce.change_tally_id_seq OWNED BY commerce.change_tally.id;
ALTER TABLE commerce.change_tally ALTER COLUMN id SET DEFAULT
    (extract(epoch FROM clock_timestamp() - timestamptz '2020-01-01 00:00:00+00') * 1000)::bigint * 4096
    + (nextval('commerce.change_tally_id_seq') & 4095);
"""

DOWN = """
ALTER TABLE commerce.change_tally ALTER COLUMN id DROP DEFAULT;
DROP SEQUENCE commerce.change_tally_id_seq;
ALTER TABLE commerce.change_tally ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
SELECT setval('commerce.change_tally_id_seq', greatest((SELECT max(id) FROM commerce.change_tally), 1));
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(DOWN)
