from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Uuid
from sqlalchemy import text as sql

from syncline.apps.outreach.tables import METADATA, moment, tenant_column, text

webhook_door = Table(
    "webhook_door",
    METADATA,
    Column("id", Uuid, primary_key=True),
    tenant_column(),
    text("platform"),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    text("vendor_id", nullable=True),
    text("created_by"),
    moment("created_at"),
    Index("webhook_door_tenant_idx", "tenant_id"),
)
"""An address that a tool was given. `digest` is of the secret part of its path; `vendor_id` what the tool calls it."""

webhook = Table(
    "webhook",
    METADATA,
    Column("id", Uuid, primary_key=True),
    tenant_column(),
    text("platform"),
    Column("digest", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    text("state"),
    Column("attempts", Integer, nullable=False),
    text("sentence", nullable=True),
    moment("received_at"),
    Index("webhook_same_idx", "tenant_id", "digest", unique=True),
    Index("webhook_waiting_idx", "tenant_id", "received_at", postgresql_where=sql("state = 'waiting'")),
)
"""As it came, before anybody understood it. `digest` is of the body: the same told twice is kept once."""
