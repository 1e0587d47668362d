from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, LargeBinary, Table, UniqueConstraint

from syncline.apps.accounts.tables import METADATA, id_column, moment, text, uuid

oidc_provider = Table(
    "oidc_provider",
    METADATA,
    id_column(),
    uuid("tenant_id"),
    text("name"),
    text("title"),
    text("issuer"),
    text("client_id"),
    Column("sealed_secret", LargeBinary, nullable=True, comment="None for a public client"),
    text("new_people_role", nullable=True, comment="What people get whom nobody invited; null lets nobody in"),
    moment("created_at"),
    text("created_by"),
    UniqueConstraint("tenant_id", "name"),
    ForeignKeyConstraint(["tenant_id"], ["accounts.tenant.id"]),
)
