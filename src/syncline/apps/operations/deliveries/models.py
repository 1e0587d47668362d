from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from syncline.apps.operations.tables import METADATA

# `event_id` is the announcement's, or one made up for a trial: nothing is told twice to the same channel.
delivery = Table(
    "delivery",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("channel_id", ForeignKey("operations.channel.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("vendor_code", Text, nullable=True),
    Column("sentence", Text, nullable=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=True),
    UniqueConstraint("channel_id", "event_id"),
)
Index(None, delivery.c.tenant_id, delivery.c.created_at)
