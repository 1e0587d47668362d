from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Uuid

from syncline.apps.commerce.tables import METADATA, id_column, json, moment, tenant_column, text

push_run = Table(
    "push_run",
    METADATA,
    id_column(),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    Column("batch_id", Uuid, nullable=True),
    text("status"),
    text("requested_by"),
    Column("total", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    moment("created_at"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    text("error", nullable=True),
)
Index(
    "push_run_one_live_idx",
    push_run.c.store_id,
    unique=True,
    postgresql_where=push_run.c.status.in_(("queued", "running")),
)

# One line per attempt at the store. The before-image is what was read just before the write, and is what a rollback
# restores.
receipt = Table(
    "receipt",
    METADATA,
    Column("change_id", Uuid, primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    tenant_column(),
    Column("batch_id", Uuid, nullable=False),
    Column("push_run_id", Uuid, nullable=False),
    text("outcome"),
    json("before"),
    json("after"),
    text("verified_by"),
    text("vendor_code", nullable=True),
    text("sentence", nullable=True),
    moment("store_updated_at", nullable=True),
    moment("sent_at"),
    moment("finished_at", nullable=True),
)
Index("receipt_batch_idx", receipt.c.batch_id)
