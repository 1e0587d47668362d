from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, LargeBinary, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from syncline.apps.accounts.tables import METADATA, id_column, moment, text, uuid

# What stays of an erasure names nobody: `sealed_subject` is emptied when it has ended, the digests are keyed.
erasure = Table(
    "erasure",
    METADATA,
    id_column(),
    uuid("tenant_id"),
    text("status"),
    text("reason"),
    Column("keep_out", Boolean, nullable=False),
    Column("digests", ARRAY(LargeBinary), nullable=False),
    Column("sealed_subject", LargeBinary),
    text("requested_by"),
    moment("created_at"),
    moment("finished_at", nullable=True),
    text("error", nullable=True),
    Index(None, "tenant_id", "id"),
)

erasure_step = Table(
    "erasure_step",
    METADATA,
    uuid("erasure_id"),
    text("app"),
    uuid("tenant_id"),
    Column("counts", JSONB(none_as_null=True)),
    moment("finished_at", nullable=True),
    PrimaryKeyConstraint("erasure_id", "app"),
    ForeignKeyConstraint(["erasure_id"], ["accounts.erasure.id"], ondelete="CASCADE"),
)
