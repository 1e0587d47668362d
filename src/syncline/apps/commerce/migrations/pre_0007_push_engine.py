"""How a push works and what it cost, what its workers claim, and what each of them does."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0007"
down_revision = "commerce_0006"
branch_labels = None
depends_on = None

# A run of an earlier release is carried on with these settings; what it has left is cut into units when it is taken up.
DEFINITION = """
ALTER TABLE commerce.push_run
    ADD COLUMN priority text NOT NULL DEFAULT 'normal',
    ADD COLUMN strategy text NOT NULL DEFAULT 'balanced',
    ADD COLUMN min_workers integer NOT NULL DEFAULT 1,
    ADD COLUMN max_workers integer NOT NULL DEFAULT 8,
    ADD COLUMN batch_size integer,
    ADD COLUMN wanted text NOT NULL DEFAULT 'run',
    ADD COLUMN workers integer NOT NULL DEFAULT 0,
    ADD COLUMN requests integer NOT NULL DEFAULT 0,
    ADD COLUMN requested double precision NOT NULL DEFAULT 0,
    ADD COLUMN charged double precision NOT NULL DEFAULT 0,
    ADD COLUMN naive_requests integer NOT NULL DEFAULT 0,
    ADD COLUMN naive_points double precision NOT NULL DEFAULT 0,
    ADD COLUMN note text;
ALTER TABLE commerce.push_run
    ALTER COLUMN priority DROP DEFAULT,
    ALTER COLUMN strategy DROP DEFAULT,
    ALTER COLUMN min_workers DROP DEFAULT,
    ALTER COLUMN max_workers DROP DEFAULT,
    ALTER COLUMN wanted DROP DEFAULT,
    ALTER COLUMN workers DROP DEFAULT,
    ALTER COLUMN requests DROP DEFAULT,
    ALTER COLUMN requested DROP DEFAULT,
    ALTER COLUMN charged DROP DEFAULT,
    ALTER COLUMN naive_requests DROP DEFAULT,
    ALTER COLUMN naive_points DROP DEFAULT;
DROP INDEX commerce.push_run_one_live_idx;
CREATE UNIQUE INDEX push_run_one_live_idx ON commerce.push_run (store_id)
    WHERE status IN ('queued', 'running', 'paused');
CREATE TABLE commerce.push_unit (
    run_id uuid NOT NULL,
    kind text NOT NULL,
    number bigint NOT NULL,
    tenant_id uuid NOT NULL,
    state text NOT NULL,
    worker_id uuid,
    CONSTRAINT pk_push_unit PRIMARY KEY (run_id, kind, number)
);
CREATE INDEX push_unit_open_idx ON commerce.push_unit (run_id, number) WHERE state = 'open';
CREATE INDEX push_unit_worker_idx ON commerce.push_unit (worker_id) WHERE state = 'claimed';
CREATE TABLE commerce.push_worker (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    number integer NOT NULL,
    process text NOT NULL,
    state text NOT NULL,
    doing text NOT NULL,
    since timestamptz NOT NULL,
    done integer NOT NULL,
    failed integer NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT pk_push_worker PRIMARY KEY (id)
);
CREATE INDEX push_worker_run_idx ON commerce.push_worker (run_id);
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    isolate_tenant("commerce.push_unit")
    isolate_tenant("commerce.push_worker")


def downgrade() -> None:
    """What waits or is paused goes on under the earlier release, which knows no pause."""
    op.execute("UPDATE commerce.push_run SET status = 'queued' WHERE status = 'paused'")
    op.execute("DROP TABLE commerce.push_unit, commerce.push_worker")
    op.execute("DROP INDEX commerce.push_run_one_live_idx")
    op.execute(
        "ALTER TABLE commerce.push_run "
        "DROP COLUMN priority, DROP COLUMN strategy, DROP COLUMN min_workers, DROP COLUMN max_workers, "
        "DROP COLUMN batch_size, DROP COLUMN wanted, DROP COLUMN workers, DROP COLUMN requests, "
        "DROP COLUMN requested, DROP COLUMN charged, DROP COLUMN naive_requests, DROP COLUMN naive_points, "
        "DROP COLUMN note"
    )
    op.execute(
        "CREATE UNIQUE INDEX push_run_one_live_idx ON commerce.push_run (store_id) "
        "WHERE status IN ('queued', 'running')"
    )
