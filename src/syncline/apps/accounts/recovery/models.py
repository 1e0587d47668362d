from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, Table

from syncline.apps.accounts.tables import METADATA, moment, text, uuid

one_time_token = Table(
    "one_time_token",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    uuid("user_id"),
    text("purpose"),
    text("email", comment="The address it was sent to"),
    moment("created_at"),
    moment("expires_at"),
    moment("used_at", nullable=True),
    ForeignKeyConstraint(["user_id"], ["accounts.user_account.id"], ondelete="CASCADE"),
    Index(None, "user_id"),
)
