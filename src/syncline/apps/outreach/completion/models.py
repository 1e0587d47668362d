from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Uuid

from syncline.apps.outreach.tables import METADATA, json, moment, tenant_column, text

completion = Table(
    "completion",
    METADATA,
    Column("id", Uuid, primary_key=True),
    tenant_column(),
    Column("run_id", ForeignKey("outreach.sync_run.id", ondelete="CASCADE"), nullable=False, unique=True),
    text("host"),
    Column("sealed_url", LargeBinary, nullable=False),
    json("body", nullable=True),
    text("status"),
    Column("attempts", Integer, nullable=False),
    text("sentence", nullable=True),
    moment("created_at"),
    moment("sent_at", nullable=True),
    Index("completion_tenant_idx", "tenant_id", "created_at"),
)

signing = Table(
    "signing",
    METADATA,
    tenant_column(is_key=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    moment("created_at"),
)
