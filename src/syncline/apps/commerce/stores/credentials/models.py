from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.tables import METADATA, id_column, moment, tenant_column, text

# The other secret is the one before the last rotation: until it is revoked Shopify signs webhooks with it.
shopify_app = Table(
    "shopify_app",
    METADATA,
    id_column(),
    tenant_column(),
    text("client_id"),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("other_secret_sealed", LargeBinary),
    Column("scopes", ARRAY(Text), nullable=False),
    moment("created_at"),
    moment("rotated_at", nullable=True),
    UniqueConstraint("tenant_id", "client_id", name="shopify_app_client_key"),
)
