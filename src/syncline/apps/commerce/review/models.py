from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, Table, Uuid

from syncline.apps.commerce.tables import METADATA, moment, text

review_rule = Table(
    "review_rule",
    METADATA,
    Column("tenant_id", Uuid, primary_key=True),
    Column("four_eyes", Boolean, nullable=False),
    text("changed_by"),
    moment("changed_at"),
    Column("expire_after_days", Integer, nullable=True),
)
