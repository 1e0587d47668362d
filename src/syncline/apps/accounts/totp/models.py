from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, LargeBinary, PrimaryKeyConstraint, Table, Uuid

from syncline.apps.accounts.tables import METADATA, moment, uuid

totp_device = Table(
    "totp_device",
    METADATA,
    Column("user_id", Uuid, primary_key=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    moment("created_at"),
    moment("confirmed_at", nullable=True),
    Column("last_step", BigInteger, comment="The step of the last code that was used: no code is good twice"),
    ForeignKeyConstraint(["user_id"], ["accounts.user_account.id"], ondelete="CASCADE"),
)

recovery_code = Table(
    "recovery_code",
    METADATA,
    uuid("user_id"),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("user_id", "digest"),
    ForeignKeyConstraint(["user_id"], ["accounts.user_account.id"], ondelete="CASCADE"),
    comment="Those not used yet.",
)
