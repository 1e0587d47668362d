from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from syncline.apps.accounts.tables import METADATA, id_column, moment, text, uuid

session = Table(
    "session",
    METADATA,
    id_column(),
    uuid("tenant_id"),
    uuid("user_id"),
    Column("methods", ARRAY(Text), nullable=False, comment="How the person proved who he is: pwd, otp, oidc"),
    text("device"),
    text("address"),
    moment("created_at"),
    moment("last_seen_at"),
    moment("expires_at", comment="However often it is renewed"),
    moment("ended_at", nullable=True),
    text("ended_because", nullable=True),
    ForeignKeyConstraint(["user_id"], ["accounts.user_account.id"], ondelete="CASCADE"),
    Index(None, "user_id"),
    Index(None, "tenant_id", "user_id"),
)

refresh_token = Table(
    "refresh_token",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    uuid("session_id"),
    uuid("user_id"),
    moment("issued_at"),
    moment("expires_at"),
    moment("used_at", nullable=True),
    ForeignKeyConstraint(["session_id"], ["accounts.session.id"], ondelete="CASCADE"),
    Index(None, "session_id"),
    comment="Used ones are kept as long as their session, so that using one again is recognised.",
)

sign_in_throttle = Table(
    "sign_in_throttle",
    METADATA,
    Column("account", LargeBinary, nullable=False, comment="SHA-256 of the e-mail, whether it has an account or not"),
    text("address"),
    Column("failures", Integer, nullable=False),
    moment("failed_at"),
    moment("closed_until"),
    PrimaryKeyConstraint("account", "address"),
)

signing_key = Table(
    "signing_key",
    METADATA,
    text("kid", primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    moment("created_at"),
    moment("signs_from"),
)

sign_in_challenge = Table(
    "sign_in_challenge",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    uuid("user_id"),
    Column("methods", ARRAY(Text), nullable=False),
    text("tenant", nullable=True, comment="The one that was asked for at the first step"),
    moment("created_at"),
    moment("expires_at"),
    Column("failures", Integer, nullable=False),
    ForeignKeyConstraint(["user_id"], ["accounts.user_account.id"], ondelete="CASCADE"),
    Index(None, "user_id"),
)
