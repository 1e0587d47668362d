from __future__ import annotations

from sqlalchemy import ARRAY, Column, Index, LargeBinary, Table, Text, UniqueConstraint

from syncline.apps.accounts.tables import METADATA, id_column, moment, text, uuid

api_key = Table(
    "api_key",
    METADATA,
    id_column(),
    uuid("tenant_id"),
    text("name"),
    text("role"),
    text("prefix"),
    Column("digest", LargeBinary, nullable=False),
    moment("created_at"),
    text("created_by"),
    moment("expires_at", nullable=True),
    moment("last_used_at", nullable=True),
    moment("revoked_at", nullable=True),
    Column("scopes", ARRAY(Text), comment="Narrows the role; null narrows nothing"),
    uuid("replaced_by", nullable=True, comment="The key that took its place; it works until it expires"),
    UniqueConstraint("digest"),
    Index(None, "tenant_id", "prefix"),
)
