from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, UniqueConstraint

from syncline.apps.accounts.tables import METADATA, id_column, moment, text, uuid

user_account = Table(
    "user_account",
    METADATA,
    id_column(),
    text("email", comment="As the person writes it"),
    text("email_key", comment="As it is compared: one account per address, whatever its capitals"),
    text("name"),
    text("password_hash", nullable=True, comment="Argon2id; null for who signs in elsewhere only"),
    moment("password_changed_at", nullable=True),
    moment("email_verified_at", nullable=True),
    moment("created_at"),
    moment("disabled_at", nullable=True),
    UniqueConstraint("email_key"),
    comment="The people of the installation: found by e-mail before a tenant is known, so not tenant-scoped.",
)

membership = Table(
    "membership",
    METADATA,
    uuid("tenant_id"),
    uuid("user_id"),
    text("role"),
    moment("created_at"),
    text("created_by"),
    PrimaryKeyConstraint("tenant_id", "user_id"),
    ForeignKeyConstraint(["tenant_id"], ["accounts.tenant.id"]),
    ForeignKeyConstraint(["user_id"], ["accounts.user_account.id"], ondelete="CASCADE"),
    Index(None, "user_id"),
)
