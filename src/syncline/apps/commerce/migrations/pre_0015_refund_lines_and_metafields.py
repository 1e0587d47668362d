"""Lines of refunds, and the metafields of collections, orders and customers."""

from __future__ import annotations

from alembic import op

from syncline.apps.commerce.migrations.pre_0002_whole_mirror import BEFORE, STATISTICS
from syncline.apps.commerce.migrations.pre_0002_whole_mirror import TABLES as KNOWN
from syncline.runtime.db.isolation import isolate_tenant, store_wide

revision = "commerce_0015"
down_revision = "commerce_0014"
branch_labels = None
depends_on = None

_VERSIONS = """
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
"""
OWNERS = ("collection", "order", "customer")
METAFIELDS = """
CREATE TABLE commerce.{owner}_metafield (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    {owner}_id bigint NOT NULL,
    namespace text NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    value text,
    compare_digest text,
    created_at timestamptz,
    {versions}
    CONSTRAINT pk_{owner}_metafield PRIMARY KEY (store_id, id)
);
CREATE INDEX {owner}_metafield_owner_idx ON commerce.{owner}_metafield (store_id, {owner}_id);
"""
REFUND_LINES = """
CREATE TABLE commerce.refund_line (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    order_id bigint NOT NULL,
    refund_id bigint NOT NULL,
    line_id bigint NOT NULL,
    quantity integer NOT NULL,
    restock_type text NOT NULL,
    is_restocked boolean NOT NULL,
    location_id bigint,
    price numeric NOT NULL,
    subtotal numeric NOT NULL,
    tax numeric NOT NULL,
    {versions}
    CONSTRAINT pk_refund_line PRIMARY KEY (store_id, id)
);
CREATE INDEX refund_line_order_idx ON commerce.refund_line (store_id, order_id);
CREATE INDEX refund_line_line_idx ON commerce.refund_line (store_id, line_id);
CREATE INDEX customer_gone_idx ON commerce.customer (store_id, id) WHERE deleted_at IS NOT NULL;
"""
TABLES = ("refund_line", *(f"{owner}_metafield" for owner in OWNERS))


def _analyze(tables: tuple[str, ...]) -> str:
    return STATISTICS.format(", ".join(f"'{table}'" for table in tables))


def upgrade() -> None:
    op.execute(REFUND_LINES.format(versions=_VERSIONS))
    for owner in OWNERS:
        op.execute(METAFIELDS.format(owner=owner, versions=_VERSIONS))
        store_wide(f"commerce.{owner}_metafield", "value")
    for table in TABLES:
        isolate_tenant(f"commerce.{table}")
    op.execute(_analyze((*BEFORE, *KNOWN, *TABLES)))


def downgrade() -> None:
    op.execute(_analyze((*BEFORE, *KNOWN)))
    op.execute("DROP INDEX commerce.customer_gone_idx")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE commerce.{table}")
