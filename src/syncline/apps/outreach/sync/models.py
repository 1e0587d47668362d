from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.outreach.tables import METADATA, big, json, moment, tenant_column, text

sync_run = Table(
    "sync_run",
    METADATA,
    Column("id", Uuid, primary_key=True),
    tenant_column(),
    text("status"),
    text("mode"),
    Column("namespaces", ARRAY(Text), nullable=False),
    json("config"),
    moment("read_until"),
    text("stage"),
    text("sentence", nullable=True),
    text("requested_by"),
    big("people"),
    big("removed"),
    json("report", nullable=True),
    moment("created_at"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    Index("sync_run_tenant_idx", "tenant_id", "created_at"),
)
"""`read_until` is the moment until which the tools are read, decided once; `report` what a reconciliation found."""

sync_claim = Table(
    "sync_claim",
    METADATA,
    tenant_column(is_key=True),
    text("namespace", primary_key=True),
    Column("run_id", ForeignKey("outreach.sync_run.id", ondelete="CASCADE"), nullable=False),
)
"""Which run has a namespace. That there is one row for each is what makes a second run impossible."""

sync_chunk = Table(
    "sync_chunk",
    METADATA,
    Column("run_id", ForeignKey("outreach.sync_run.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    tenant_column(),
    text("platform"),
    text("namespace"),
    text("campaign_id"),
    text("campaign"),
    moment("since", nullable=True),
    moment("until"),
    text("status"),
    Column("worker", Integer, nullable=True),
    text("cursor", nullable=True),
    big("expected", nullable=True),
    big("read"),
    big("created"),
    big("unusable"),
    text("sentence", nullable=True),
    json("counters", nullable=True),
    Column("is_unmoved", Boolean, nullable=False, server_default=sql("false")),
    Index("sync_chunk_open_idx", "run_id", "number", postgresql_where=sql("status <> 'done'")),
)
"""`worker` is the number of the worker of the run that has it: after a crash the same number takes it up again."""

sync_mark = Table(
    "sync_mark",
    METADATA,
    tenant_column(is_key=True),
    text("platform", primary_key=True),
    text("campaign_id", primary_key=True),
    text("namespace", primary_key=True),
    moment("until"),
    big("mails", nullable=True),
    json("counters", nullable=True),
    moment("whole_at", nullable=True),
    Column("is_settled", Boolean, nullable=False, server_default=sql("false")),
)
"""See `planning.Mark`."""
