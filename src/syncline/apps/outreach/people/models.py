from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table
from sqlalchemy import text as sql

from syncline.apps.outreach.tables import METADATA, moment, tenant_column, text

person = Table(
    "person",
    METADATA,
    tenant_column(is_key=True),
    text("namespace", primary_key=True),
    text("email", primary_key=True),
    text("first_name", nullable=True),
    text("last_name", nullable=True),
    text("company", nullable=True),
    text("last_event"),
    moment("last_event_at"),
    Column("is_wanted", Boolean, nullable=False),
    Column("is_changed", Boolean, nullable=False),
    text("record_id", nullable=True),
    text("sentence", nullable=True),
    Index("person_changed_idx", "tenant_id", postgresql_where=sql("is_changed AND is_wanted")),
)
"""Whoever was written to in a namespace. `is_wanted`: a run asked for its people in Attio; `is_changed`: Attio does not
know what is here yet."""
