from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text, Uuid

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
    text("priority"),
    text("strategy"),
    Column("min_workers", Integer, nullable=False),
    Column("max_workers", Integer, nullable=False),
    Column("batch_size", Integer, nullable=True),
    text("wanted"),
    Column("workers", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("requested", Float, nullable=False),
    Column("charged", Float, nullable=False),
    Column("naive_requests", Integer, nullable=False),
    Column("naive_points", Float, nullable=False),
    text("note", nullable=True),
)
Index(
    "push_run_one_live_idx",
    push_run.c.store_id,
    unique=True,
    postgresql_where=push_run.c.status.in_(("queued", "running", "paused")),
)

# What is claimed as one: all changes of a product, or of a collection, so that no two workers ever have changes of the
# same record in hand. `state` is open, claimed or done.
push_unit = Table(
    "push_unit",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    tenant_column(),
    text("state"),
    Column("worker_id", Uuid, nullable=True),
)
Index("push_unit_open_idx", push_unit.c.run_id, push_unit.c.number, postgresql_where=push_unit.c.state == "open")
Index("push_unit_worker_idx", push_unit.c.worker_id, postgresql_where=push_unit.c.state == "claimed")

# One row per worker that ever took part; a row without `ended_at` whose `seen_at` is old has lost its claims.
push_worker = Table(
    "push_worker",
    METADATA,
    id_column(),
    tenant_column(),
    Column("run_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    text("process"),
    text("state"),
    text("doing"),
    moment("since"),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    moment("started_at"),
    moment("seen_at"),
    moment("ended_at", nullable=True),
)
Index("push_worker_run_idx", push_worker.c.run_id)

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
