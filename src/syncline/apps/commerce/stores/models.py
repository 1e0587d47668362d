from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.tables import METADATA, id_column, moment, tenant_column, text

# Without a token since the shop uninstalled the app.
store = Table(
    "store",
    METADATA,
    id_column(),
    tenant_column(),
    text("name"),
    text("shop_domain"),
    text("base_url", nullable=True),
    Column("token_sealed", LargeBinary),
    text("api_version"),
    text("shop_name"),
    text("currency"),
    text("plan"),
    Column("scopes", ARRAY(Text), nullable=False),
    moment("created_at"),
    text("review", server_default="none"),
    moment("uninstalled_at", nullable=True),
    UniqueConstraint("tenant_id", "name", name="store_name_key"),
    UniqueConstraint("tenant_id", "shop_domain", name="store_domain_key"),
)
