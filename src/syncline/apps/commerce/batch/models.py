from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.tables import METADATA, big, id_column, json, moment, tenant_column, text

# `epoch` counts the workers that took it up: only the last one's work is kept. `job_key` is the caller's own.
batch_run = Table(
    "batch_run",
    METADATA,
    id_column(),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    text("operation"),
    json("updates"),
    text("summary"),
    text("search", nullable=True),
    Column("product_ids", ARRAY(BigInteger), nullable=False),
    text("note", nullable=True),
    text("job_key", nullable=True),
    text("status"),
    text("requested_by"),
    Column("requested_by_id", Uuid, nullable=True),
    Column("epoch", Integer, nullable=False),
    Column("total", Integer, nullable=True),
    *(Column(name, Integer, nullable=False) for name in ("processed", "staged", "unchanged", "waiting", "refused")),
    Column("parts", Integer, nullable=False),
    text("error", nullable=True),
    Column("retries_id", Uuid, nullable=True),
    moment("created_at"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
)
Index("batch_run_store_idx", batch_run.c.tenant_id, batch_run.c.store_id, batch_run.c.id)
Index(
    "batch_run_key_idx",
    *(batch_run.c.tenant_id, batch_run.c.job_key),
    unique=True,
    postgresql_where=batch_run.c.job_key.is_not(None),
)
Index(
    "batch_run_retries_idx",
    *(batch_run.c.tenant_id, batch_run.c.retries_id),
    unique=True,
    postgresql_where=batch_run.c.retries_id.is_not(None),
)

batch_part = Table(
    "batch_part",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    Column("batch_id", Uuid, nullable=True),
    *(Column(name, Integer, nullable=False) for name in ("products", "staged", "unchanged", "waiting", "refused")),
)

batch_refusal = Table(
    "batch_refusal",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    big("product_id", primary_key=True, autoincrement=False),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    text("label"),
    text("field", nullable=True),
    text("sentence"),
)
