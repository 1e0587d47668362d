from __future__ import annotations

from sqlalchemy import Boolean, Column, Table

from syncline.apps.outreach.tables import METADATA, moment, tenant_column, text

sync_state = Table(
    "sync_state",
    METADATA,
    tenant_column(is_key=True),
    text("job", primary_key=True),
    Column("is_enabled", Boolean, nullable=False),
    moment("last_run_at", nullable=True),
    moment("last_good_at", nullable=True),
    text("sentence", nullable=True),
    moment("alerted_at", nullable=True),
)
"""How the scheduled jobs of a tenant fare."""
