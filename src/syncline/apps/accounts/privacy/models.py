from __future__ import annotations

from sqlalchemy import Column, LargeBinary, PrimaryKeyConstraint, Table

from syncline.apps.accounts.tables import METADATA, moment, uuid

# The key of the names that tell nothing (`runtime.privacy.pseudonyms`). A dump holds it sealed, so that nobody finds
# out by trying addresses whose erasure a digest is.
privacy_key = Table(
    "privacy_key",
    METADATA,
    uuid("tenant_id"),
    Column("sealed_key", LargeBinary, nullable=False),
    moment("created_at"),
    PrimaryKeyConstraint("tenant_id"),
)
