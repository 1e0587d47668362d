from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, Table, UniqueConstraint

from syncline.apps.accounts.tables import METADATA, id_column, moment, text, uuid

oidc_identity = Table(
    "oidc_identity",
    METADATA,
    id_column(),
    uuid("user_id"),
    text("provider", comment="A name of the settings, or the id of a tenant's"),
    text("issuer", comment="A provider that is pointed elsewhere knows none of the earlier people"),
    text("subject"),
    text("email", nullable=True, comment="What the provider said when it was linked, to tell identities apart"),
    moment("created_at"),
    moment("last_used_at", nullable=True),
    ForeignKeyConstraint(["user_id"], ["accounts.user_account.id"], ondelete="CASCADE"),
    UniqueConstraint("provider", "issuer", "subject"),
    Index(None, "user_id"),
    comment="Found by what a provider says, before a person or tenant is known, so not tenant-scoped.",
)

oidc_flow = Table(
    "oidc_flow",
    METADATA,
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of the state"),
    Column("browser", LargeBinary, nullable=False, comment="SHA-256 of the cookie of the browser that began"),
    text("provider"),
    uuid("provider_tenant_id", nullable=True, comment="Whose provider it is; null for one of the installation"),
    text("tenant", nullable=True, comment="Where the person wants to go"),
    uuid("user_id", nullable=True, comment="Whom to link the identity to; null for signing in"),
    uuid("session_id", nullable=True),
    Column("sealed_exchange", LargeBinary, nullable=False, comment="Nonce and code verifier"),
    text("return_to"),
    moment("expires_at"),
    ForeignKeyConstraint(["user_id"], ["accounts.user_account.id"], ondelete="CASCADE"),
    Index(None, "user_id"),
    comment="A sign-in that is on its way, before anybody is known. Each row is good once.",
)
