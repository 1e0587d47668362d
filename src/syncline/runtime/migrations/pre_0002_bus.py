"""Events: outbox, subscriptions, deliveries, inbox, dead letters."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import create_schema, drop_schema

revision = "runtime_0002"
down_revision = "runtime_0001"
branch_labels = None
depends_on = None

# Tables of the system, like those of `jobs`. `position` is the order of writing; within a tenant it is the order of
# delivery. Event data is json, not jsonb, because jsonb refuses a NUL that a vendor's text may hold.
TABLES = """
CREATE TABLE bus.outbox (
    id uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    tenant uuid,
    occurred_at timestamptz NOT NULL,
    data json NOT NULL,
    sent_at timestamptz
);
CREATE INDEX outbox_unsent ON bus.outbox (position) WHERE sent_at IS NULL;
CREATE INDEX outbox_occurred ON bus.outbox (occurred_at);

CREATE TABLE bus.subscription (
    handler text NOT NULL,
    event text NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (handler, event)
);

CREATE TABLE bus.delivery (
    handler text NOT NULL,
    event_id uuid NOT NULL REFERENCES bus.outbox,
    position bigint NOT NULL,
    tenant uuid,
    attempts integer NOT NULL DEFAULT 0,
    failed_at timestamptz,
    next_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (handler, event_id)
);
CREATE INDEX delivery_lane ON bus.delivery (handler, tenant, position);
CREATE INDEX delivery_event ON bus.delivery (event_id);

CREATE TABLE bus.inbox (
    handler text NOT NULL,
    event_id uuid NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (handler, event_id)
);
CREATE INDEX inbox_applied ON bus.inbox (applied_at);

CREATE TABLE bus.dead_letter (
    id uuid PRIMARY KEY,
    handler text NOT NULL,
    event_id uuid NOT NULL,
    name text NOT NULL,
    tenant uuid,
    occurred_at timestamptz NOT NULL,
    payload json NOT NULL,
    attempts integer NOT NULL,
    reason text NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    replayed_at timestamptz
);
CREATE INDEX dead_letter_open ON bus.dead_letter (last_at DESC, id DESC) WHERE replayed_at IS NULL;
"""

UNDO = "DROP TABLE bus.dead_letter, bus.inbox, bus.delivery, bus.subscription, bus.outbox"


def upgrade() -> None:
    create_schema("bus")
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
    drop_schema("bus")
