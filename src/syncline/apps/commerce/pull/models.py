from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.tables import METADATA, big, id_column, json, moment, tenant_column, text

pull_run = Table(
    "pull_run",
    METADATA,
    id_column(),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    text("mode"),
    text("status"),
    text("requested_by"),
    moment("created_at"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    text("error", nullable=True),
    Column("reconciliation_id", Uuid, nullable=True),
)
Index(
    "pull_run_one_live_idx",
    pull_run.c.store_id,
    unique=True,
    postgresql_where=pull_run.c.status.in_(("queued", "running")),
)

# One stream of one run: its plan, where it reads and how far it is. `epoch` rises each time a worker takes it up; a
# worker whose epoch is no longer the row's has been replaced and must not write.
pull_stream = Table(
    "pull_stream",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("stream", Text, primary_key=True),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    text("status"),
    Column("epoch", Integer, nullable=False),
    text("path_wanted", nullable=True),
    text("path", nullable=True),
    text("reason", nullable=True),
    moment("since", nullable=True),
    text("operation_id", nullable=True),
    moment("read_from", nullable=True),
    text("cursor", nullable=True),
    Column("restarts", Integer, nullable=False),
    big("total", nullable=True),
    big("expected", nullable=True),
    big("read"),
    big("inserted"),
    big("updated"),
    big("unchanged"),
    big("deleted"),
    big("duplicates"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    text("error", nullable=True),
    json("notes"),
    Column("is_incomplete", Boolean, nullable=False),
    json("slices", nullable=True),
)

# The keys a run has seen, one row per chunk and kind, so that what a complete read did not bring can be found after
# any crash. `ordinal` rises from chunk to chunk, `keys` are in the order of their lines.
pull_seen = Table(
    "pull_seen",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("chunk", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    tenant_column(),
    Column("keys", ARRAY(BigInteger), nullable=False),
    Column("second_keys", ARRAY(BigInteger), nullable=True),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
)

stream_state = Table(
    "stream_state",
    METADATA,
    Column("store_id", Uuid, primary_key=True),
    Column("stream", Text, primary_key=True),
    tenant_column(),
    moment("high_water", nullable=True),
    moment("last_full_at", nullable=True),
    json("rates", nullable=True),
)
