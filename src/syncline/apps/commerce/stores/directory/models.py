from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint, Uuid

from syncline.apps.commerce.tables import METADATA, moment, text

# Apart and without row security, as `schedule_due` is: ids, addresses of shops, ids of apps and times are all it holds.
# Shopify keeps one token per app and shop, so a shop is connected once through the same app, whichever the tenant.
shop_directory = Table(
    "shop_directory",
    METADATA,
    Column(
        "store_id",
        ForeignKey("commerce.store.id", ondelete="CASCADE", name="shop_directory_store_fkey"),
        primary_key=True,
    ),
    Column("tenant", Uuid, nullable=False),
    text("shop_domain"),
    text("client_id", nullable=True),
    moment("renew_at", nullable=True),
    UniqueConstraint("shop_domain", "client_id", name="shop_directory_app_key"),
)
Index("shop_directory_renew_idx", shop_directory.c.renew_at)
