from __future__ import annotations

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table

from syncline.apps.accounts.tables import METADATA, moment, text, uuid

# Where a tenant keeps something longer or shorter than the rule says; null days keep it for ever.
retention_setting = Table(
    "retention_setting",
    METADATA,
    uuid("tenant_id"),
    text("rule"),
    Column("days", Integer),
    text("changed_by"),
    moment("changed_at"),
    PrimaryKeyConstraint("tenant_id", "rule"),
)
