from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Uuid
from sqlalchemy import text as sql

from syncline.apps.outreach.tables import METADATA, big, moment, tenant_column, text

receipt = Table(
    "receipt",
    METADATA,
    tenant_column(is_key=True),
    text("event_key", primary_key=True),
    text("namespace"),
    text("event"),
    text("distinct_id"),
    big("at_ms"),
    text("insert_id"),
    text("state"),
    Column("batch_id", Uuid, nullable=True),
    text("sentence", nullable=True),
    moment("delivered_at", nullable=True),
    Index("receipt_waiting_idx", "tenant_id", "at_ms", postgresql_where=sql("state = 'waiting'")),
    Index("receipt_batch_idx", "batch_id", postgresql_where=sql("state = 'sending'")),
    Index("receipt_at_idx", "tenant_id", "namespace", "at_ms"),
)
"""One for each event, written with it: held, waiting, sending, delivered or refused. Event, distinct_id, time and
insert_id are what Mixpanel knows it by, decided once."""

batch = Table(
    "delivery_batch",
    METADATA,
    Column("id", Uuid, primary_key=True),
    tenant_column(),
    Column("count", Integer, nullable=False),
    moment("sent_at"),
    Index("delivery_batch_tenant_idx", "tenant_id"),
)
"""A batch that is on its way or whose end is not known; once it is, it is removed."""
