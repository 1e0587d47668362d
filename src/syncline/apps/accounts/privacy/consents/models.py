from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Table, UniqueConstraint

from syncline.apps.accounts.tables import METADATA, id_column, moment, text, uuid

data_subject = Table(
    "data_subject",
    METADATA,
    id_column(),
    uuid("tenant_id"),
    text("email_key", nullable=True),
    text("record", nullable=True),
    Column("may_not_be_sold", Boolean, nullable=False),
    moment("created_at"),
    moment("erased_at", nullable=True),
    UniqueConstraint("tenant_id", "email_key"),
    UniqueConstraint("tenant_id", "record"),
    comment="Who consented or chose; emptied by an erasure, while the history stays.",
)

consent = Table(
    "consent",
    METADATA,
    id_column(),
    uuid("tenant_id"),
    uuid("subject_id"),
    text("document"),
    text("version"),
    Column("is_given", Boolean, nullable=False),
    text("method"),
    moment("at"),
    text("recorded_by"),
    moment("recorded_at"),
    ForeignKeyConstraint(["subject_id"], ["accounts.data_subject.id"]),
    Index(None, "subject_id"),
    comment="Append-only: the application role may neither change nor remove a row.",
)
