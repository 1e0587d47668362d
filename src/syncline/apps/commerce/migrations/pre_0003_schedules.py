"""Schedules, and when each comes round next."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0003"
down_revision = "commerce_0002"
branch_labels = None
depends_on = None

DEFINITION = """
CREATE TABLE commerce.schedule (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    action text NOT NULL,
    timing text NOT NULL,
    zone text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    last_at timestamptz,
    last_status text,
    last_run_id uuid,
    last_sentence text,
    failures integer NOT NULL,
    CONSTRAINT pk_schedule PRIMARY KEY (id),
    CONSTRAINT schedule_same_key UNIQUE (store_id, action, timing, zone),
    CONSTRAINT schedule_store_fkey FOREIGN KEY (store_id) REFERENCES commerce.store (id) ON DELETE CASCADE
);
CREATE TABLE commerce.schedule_due (
    schedule_id uuid NOT NULL,
    tenant uuid NOT NULL,
    due_at timestamptz NOT NULL,
    CONSTRAINT pk_schedule_due PRIMARY KEY (schedule_id),
    CONSTRAINT schedule_due_schedule_fkey FOREIGN KEY (schedule_id) REFERENCES commerce.schedule (id) ON DELETE CASCADE
);
CREATE INDEX schedule_due_at_idx ON commerce.schedule_due (due_at);
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    isolate_tenant("commerce.schedule")


def downgrade() -> None:
    op.execute("DROP TABLE commerce.schedule_due, commerce.schedule")
