from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, UniqueConstraint, Uuid

from syncline.apps.commerce.tables import METADATA, id_column, moment, tenant_column, text

# `state` and `browser` are SHA-256 digests of what went with the browser. Each state is good once.
store_install = Table(
    "store_install",
    METADATA,
    id_column(),
    tenant_column(),
    Column(
        "app_id",
        ForeignKey("commerce.shopify_app.id", ondelete="CASCADE", name="store_install_app_fkey"),
        nullable=False,
    ),
    Column("state", LargeBinary, nullable=False),
    Column("browser", LargeBinary),
    text("shop_domain"),
    text("base_url", nullable=True),
    text("name"),
    text("return_to", nullable=True),
    text("status"),
    text("sentence", nullable=True),
    Column("store_id", Uuid),
    text("requested_by"),
    moment("created_at"),
    moment("expires_at"),
    UniqueConstraint("state", name="store_install_state_key"),
)
Index("store_install_app_idx", store_install.c.app_id)
Index("store_install_tenant_idx", store_install.c.tenant_id, store_install.c.created_at)
