from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, LargeBinary, Table, Text, UniqueConstraint, Uuid

from syncline.runtime.db.base import app_metadata

METADATA = app_metadata("accounts")

tenant = Table(
    "tenant",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("slug"),
    comment="The directory: read before a tenant is known, so it is not tenant-scoped and holds nothing but names.",
)

api_key = Table(
    "api_key",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    UniqueConstraint("digest"),
    Index(None, "tenant_id", "prefix"),
)
