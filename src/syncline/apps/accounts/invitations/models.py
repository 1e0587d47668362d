from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint

from syncline.apps.accounts.tables import METADATA, id_column, moment, text, uuid

invitation = Table(
    "invitation",
    METADATA,
    id_column(),
    uuid("tenant_id"),
    text("email"),
    text("email_key"),
    text("role"),
    Column("digest", LargeBinary, nullable=False),
    moment("created_at"),
    text("created_by"),
    moment("expires_at"),
    moment("accepted_at", nullable=True),
    moment("revoked_at", nullable=True),
    UniqueConstraint("digest"),
    Index(None, "tenant_id", "email_key"),
)
