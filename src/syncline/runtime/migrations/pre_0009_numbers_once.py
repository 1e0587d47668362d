"""Numbers of jobs, and of lines in their log, that a dump put back over living tables does not give out again."""

from __future__ import annotations

from alembic import op

revision = "runtime_0009"
down_revision = "runtime_0008"
branch_labels = None
depends_on = None

# A dump ends with setting every sequence back to where it stood. Put back while others work, the numbers given since
# would come again, and every worker would fall over the log's primary key.
#
# In the log a number is therefore the moment (milliseconds since 2020, which no dump sets back) with the sequence's
# last twelve bits behind it, which part those of one millisecond: below 2^53 until 2089. A trigger and no default,
# because PgQueuer looks after the defaults of its tables. A line that is put back has such a number (above 2^42) and
# keeps it.
#
# A job's number is asked of the sequence by PgQueuer itself. It may come again once its job is done, and need not be
# parted from others than those of the jobs there are: `catch_up` brings the sequence before them. It jumps further than
# anybody asks numbers in the instant between looking and setting.
UP = """
CREATE FUNCTION jobs.number_by_moment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.id := (extract(epoch FROM clock_timestamp() - timestamptz '2020-01-01 00:00:00+00') * 1000)::bigint * 4096
        + (NEW.id & 4095);
    RETURN NEW;
END $$;
CREATE TRIGGER number_by_moment BEFORE INSERT ON jobs.pgqueuer_log
    FOR EACH ROW WHEN (NEW.id < 4398046511104) EXECUTE FUNCTION jobs.number_by_moment();
CREATE FUNCTION jobs.catch_up() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT setval('jobs.pgqueuer_id_seq', newest.id + 10000)
    FROM (SELECT max(id) AS id FROM jobs.pgqueuer) AS newest, jobs.pgqueuer_id_seq AS sequence
    WHERE newest.id > sequence.last_value
$$;
"""

DOWN = """
DROP FUNCTION jobs.catch_up;
DROP TRIGGER number_by_moment ON jobs.pgqueuer_log;
DROP FUNCTION jobs.number_by_moment;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(DOWN)
