from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table

from syncline.apps.accounts.tables import METADATA, id_column, moment, text

outgoing_mail = Table(
    "outgoing_mail",
    METADATA,
    id_column(),
    text("kind"),
    text("recipient"),
    text("subject"),
    Column("sealed_text", LargeBinary, comment="Holds tokens, so it is sealed; gone once it is sent"),
    moment("created_at"),
    moment("sent_at", nullable=True),
    moment("failed_at", nullable=True),
    text("reason", nullable=True),
    Index(None, "created_at"),
    comment="To people, who may belong to several tenants or to none yet, so not tenant-scoped.",
)
