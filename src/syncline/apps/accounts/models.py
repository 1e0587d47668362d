from __future__ import annotations

from sqlalchemy import Table, UniqueConstraint

from syncline.apps.accounts.tables import METADATA, id_column, moment, text

tenant = Table(
    "tenant",
    METADATA,
    id_column(),
    text("slug"),
    text("name"),
    text("shop_domain", nullable=True),
    moment("created_at"),
    UniqueConstraint("slug"),
    comment="The directory: read before a tenant is known, so it is not tenant-scoped and holds nothing but names.",
)
