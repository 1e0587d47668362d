from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, LargeBinary, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.operations.tables import METADATA

channel = Table(
    "channel",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("sealed_address", LargeBinary, nullable=False, comment="A webhook's address is a secret by itself"),
    Column("sealed_secret", LargeBinary, nullable=True, comment="Signs what a webhook is sent"),
    Column("operations", ARRAY(Text), nullable=False),
    Column("only_failures", Boolean, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("disabled_because", Text, nullable=True),
    Column("created_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("tenant_id", "name"),
)
