from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from syncline.apps.outreach.tables import METADATA, json, moment, tenant_column, text

staged_event = Table(
    "staged_event",
    METADATA,
    Column("run_id", ForeignKey("outreach.sync_run.id", ondelete="CASCADE"), primary_key=True),
    text("event_key", primary_key=True),
    tenant_column(),
    text("namespace"),
    text("platform"),
    moment("occurred_at"),
    json("event"),
)
"""What a run read without storing it: a rebuild before its swap, or the source's side of a comparison."""
