from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint, Uuid

from syncline.apps.commerce.tables import METADATA, id_column, json, moment, tenant_column, text

# What an alignment copies is in `alignment`, and `alignment_key` tells one from another. The last_* columns tell the
# last time it came round; how a pull ended is read from its own row. `failures` are those in a row before that time.
schedule = Table(
    "schedule",
    METADATA,
    id_column(),
    tenant_column(),
    Column("store_id", ForeignKey("commerce.store.id", ondelete="CASCADE", name="schedule_store_fkey"), nullable=False),
    text("action"),
    text("timing"),
    text("zone"),
    text("created_by"),
    moment("created_at"),
    moment("last_at", nullable=True),
    text("last_status", nullable=True),
    Column("last_run_id", Uuid, nullable=True),
    text("last_sentence", nullable=True),
    Column("failures", Integer, nullable=False),
    Column("source_id", ForeignKey("commerce.store.id", ondelete="CASCADE", name="schedule_source_fkey")),
    json("alignment", nullable=True),
    text("alignment_key", server_default=""),
    UniqueConstraint("store_id", "action", "timing", "zone", "alignment_key", name="schedule_same_key"),
)

# When each schedule comes round next; a paused one has no row. It stands apart and without row security, as the queue's
# tables do, because one tick looks for all tenants: ids and times are all it holds.
schedule_due = Table(
    "schedule_due",
    METADATA,
    Column(
        "schedule_id",
        ForeignKey("commerce.schedule.id", ondelete="CASCADE", name="schedule_due_schedule_fkey"),
        primary_key=True,
    ),
    Column("tenant", Uuid, nullable=False),
    moment("due_at"),
)
Index("schedule_due_at_idx", schedule_due.c.due_at)
