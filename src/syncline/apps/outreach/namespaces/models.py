from __future__ import annotations

from sqlalchemy import Boolean, Column, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.outreach.tables import METADATA, moment, tenant_column, text

namespace = Table(
    "namespace",
    METADATA,
    tenant_column(is_key=True),
    text("name", primary_key=True),
    Column("keywords", ARRAY(Text), nullable=False),
    text("description"),
    Column("is_active", Boolean, nullable=False),
    text("created_by"),
    moment("created_at"),
    moment("updated_at"),
)
