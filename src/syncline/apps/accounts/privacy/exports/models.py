from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from syncline.apps.accounts.tables import METADATA, id_column, moment, text, uuid

personal_export = Table(
    "personal_export",
    METADATA,
    id_column(),
    uuid("tenant_id"),
    text("status"),
    Column("digests", ARRAY(LargeBinary), nullable=False),
    Column("sealed_subject", LargeBinary),
    text("requested_by"),
    moment("created_at"),
    moment("finished_at", nullable=True),
    moment("expires_at"),
    Column("size_bytes", BigInteger),
    Column("manifest", JSONB(none_as_null=True)),
    text("error", nullable=True),
    Index(None, "tenant_id", "id"),
)

# The file in slices, each sealed: a dump of the database is no copy of it.
personal_export_part = Table(
    "personal_export_part",
    METADATA,
    id_column(),
    uuid("export_id"),
    Column("number", Integer, nullable=False),
    uuid("tenant_id"),
    Column("sealed_bytes", LargeBinary, nullable=False),
    UniqueConstraint("export_id", "number"),
    ForeignKeyConstraint(["export_id"], ["accounts.personal_export.id"], ondelete="CASCADE"),
)
