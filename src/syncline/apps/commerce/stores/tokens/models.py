from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, Table, Uuid, false

from syncline.apps.commerce.tables import METADATA, moment, tenant_column, text

# The access token itself is in `store`. A custom app's store has a row only for its API secret key. Whoever renews the
# token holds the lease, so that two processes do not; it ends by itself when its holder dies.
store_grant = Table(
    "store_grant",
    METADATA,
    Column(
        "store_id",
        ForeignKey("commerce.store.id", ondelete="CASCADE", name="store_grant_store_fkey"),
        primary_key=True,
    ),
    tenant_column(),
    text("kind"),
    Column("app_id", ForeignKey("commerce.shopify_app.id", name="store_grant_app_fkey")),
    Column("secret_sealed", LargeBinary),
    Column("other_secret_sealed", LargeBinary),
    moment("granted_at"),
    moment("issued_at"),
    moment("expires_at", nullable=True),
    Column("refresh_sealed", LargeBinary),
    moment("refresh_expires_at", nullable=True),
    Column("lease", Uuid),
    moment("lease_until", nullable=True),
    text("trouble", nullable=True),
    Column("needs_consent", Boolean, nullable=False, server_default=false()),
)
Index("store_grant_app_idx", store_grant.c.app_id)
