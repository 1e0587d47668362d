"""The rest of a store: collections, media, metafields, inventory items, orders and customers; slices of a stream."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant, store_wide

revision = "commerce_0002"
down_revision = "commerce_0001"
branch_labels = None
depends_on = None

TABLES = (
    *("inventory_item", "collection", "collection_membership", "product_media", "metafield"),
    *("shop_order", "order_line", "refund", "fulfillment", "order_transaction", "customer", "customer_address"),
)

DEFINITION = """
CREATE TABLE commerce.inventory_item (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    sku text,
    tracked boolean NOT NULL,
    requires_shipping boolean NOT NULL,
    country_of_origin text,
    province_of_origin text,
    harmonized_system_code text,
    cost numeric,
    weight numeric,
    weight_unit text,
    created_at timestamptz,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_inventory_item PRIMARY KEY (store_id, id)
);
CREATE TABLE commerce.collection (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    handle text NOT NULL,
    title text NOT NULL,
    description_html text NOT NULL,
    sort_order text NOT NULL,
    template_suffix text,
    seo_title text,
    seo_description text,
    rule_set jsonb,
    products_count integer,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_collection PRIMARY KEY (store_id, id)
);
CREATE TABLE commerce.collection_membership (
    store_id uuid NOT NULL,
    collection_id bigint NOT NULL,
    product_id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_collection_membership PRIMARY KEY (store_id, collection_id, product_id)
);
CREATE INDEX collection_membership_product_idx ON commerce.collection_membership (store_id, product_id);
CREATE TABLE commerce.product_media (
    store_id uuid NOT NULL,
    product_id bigint NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    type text NOT NULL,
    alt text,
    status text NOT NULL,
    url text,
    width integer,
    height integer,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_product_media PRIMARY KEY (store_id, product_id, id)
);
CREATE TABLE commerce.metafield (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    owner_type text NOT NULL,
    owner_id bigint NOT NULL,
    namespace text NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    value text NOT NULL,
    compare_digest text NOT NULL,
    created_at timestamptz,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_metafield PRIMARY KEY (store_id, id)
);
CREATE INDEX metafield_owner_idx ON commerce.metafield (store_id, owner_type, owner_id);
CREATE TABLE commerce.shop_order (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    email text,
    customer_id bigint,
    financial_status text,
    fulfillment_status text NOT NULL,
    currency text NOT NULL,
    presentment_currency text NOT NULL,
    total numeric NOT NULL,
    subtotal numeric,
    tax numeric,
    discounts numeric,
    shipping numeric NOT NULL,
    refunded numeric NOT NULL,
    current_total numeric NOT NULL,
    tags text[] NOT NULL,
    discount_codes text[] NOT NULL,
    note text,
    source_name text,
    is_test boolean NOT NULL,
    taxes_included boolean NOT NULL,
    ship_to_city text,
    ship_to_province text,
    ship_to_country text,
    ship_to_zip text,
    cancel_reason text,
    created_at timestamptz NOT NULL,
    processed_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    closed_at timestamptz,
    parts_hash bigint NOT NULL,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_shop_order PRIMARY KEY (store_id, id)
);
CREATE INDEX shop_order_created_idx ON commerce.shop_order (store_id, created_at);
CREATE INDEX shop_order_customer_idx ON commerce.shop_order (store_id, customer_id);
CREATE TABLE commerce.order_line (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    order_id bigint NOT NULL,
    title text NOT NULL,
    variant_title text,
    sku text,
    vendor text,
    quantity integer NOT NULL,
    current_quantity integer NOT NULL,
    product_id bigint,
    variant_id bigint,
    unit_price numeric NOT NULL,
    discounted_total numeric NOT NULL,
    discount numeric NOT NULL,
    taxable boolean NOT NULL,
    requires_shipping boolean NOT NULL,
    is_gift_card boolean NOT NULL,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_order_line PRIMARY KEY (store_id, id)
);
CREATE INDEX order_line_order_idx ON commerce.order_line (store_id, order_id);
CREATE INDEX order_line_variant_idx ON commerce.order_line (store_id, variant_id);
CREATE TABLE commerce.refund (
    store_id uuid NOT NULL,
    order_id bigint NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    created_at timestamptz,
    note text,
    amount numeric NOT NULL,
    CONSTRAINT pk_refund PRIMARY KEY (store_id, order_id, id)
);
CREATE TABLE commerce.fulfillment (
    store_id uuid NOT NULL,
    order_id bigint NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    display_status text,
    quantity integer NOT NULL,
    location_id bigint,
    tracking jsonb NOT NULL,
    created_at timestamptz,
    updated_at timestamptz,
    CONSTRAINT pk_fulfillment PRIMARY KEY (store_id, order_id, id)
);
CREATE TABLE commerce.order_transaction (
    store_id uuid NOT NULL,
    order_id bigint NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    gateway text,
    amount numeric NOT NULL,
    is_test boolean NOT NULL,
    parent_id bigint,
    created_at timestamptz,
    processed_at timestamptz,
    CONSTRAINT pk_order_transaction PRIMARY KEY (store_id, order_id, id)
);
CREATE TABLE commerce.customer (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    first_name text,
    last_name text,
    email text,
    email_marketing text,
    phone text,
    state text NOT NULL,
    tags text[] NOT NULL,
    note text,
    locale text NOT NULL,
    is_email_verified boolean NOT NULL,
    is_tax_exempt boolean NOT NULL,
    orders_count bigint NOT NULL,
    amount_spent numeric NOT NULL,
    default_address_id bigint,
    created_at timestamptz,
    parts_hash bigint NOT NULL,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_customer PRIMARY KEY (store_id, id)
);
CREATE INDEX customer_email_idx ON commerce.customer (store_id, email);
CREATE TABLE commerce.customer_address (
    store_id uuid NOT NULL,
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    first_name text,
    last_name text,
    company text,
    address1 text,
    address2 text,
    city text,
    province text,
    province_code text,
    country_code text,
    zip text,
    phone text,
    CONSTRAINT pk_customer_address PRIMARY KEY (store_id, customer_id, id)
);
"""

# What hangs on a record goes with it: after each pull those few that are gone are looked up.
TOMBSTONES = """
CREATE INDEX product_gone_idx ON commerce.product (store_id, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX variant_gone_idx ON commerce.variant (store_id, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX collection_gone_idx ON commerce.collection (store_id, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX shop_order_gone_idx ON commerce.shop_order (store_id, id) WHERE deleted_at IS NOT NULL;
"""

# Of each table only what plans choose by, the columns of its indexes: a fifth of the work of all, and a pull waits for
# it. Autovacuum does the rest a minute later.
STATISTICS = """
CREATE OR REPLACE FUNCTION commerce.analyze_mirror() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format('ANALYZE commerce.%I (%s)', c.relname, string_agg(DISTINCT quote_ident(a.attname), ', '))
        FROM pg_class c
        JOIN pg_index i ON i.indrelid = c.oid
        JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'commerce'::regnamespace AND c.relname = ANY (ARRAY[{}])
            AND (a.attnum = ANY (i.indkey) OR a.attname IN ('tenant_id', 'deleted_at'))
        GROUP BY c.relname ORDER BY c.relname
    LOOP
        EXECUTE statement;
    END LOOP;
END $$;
"""
BEFORE = ("product", "variant", "location", "inventory_level", "pull_seen")


def _analyze(tables: tuple[str, ...]) -> str:
    return STATISTICS.format(", ".join(f"'{table}'" for table in tables))


def upgrade() -> None:
    op.execute(DEFINITION)
    op.execute(TOMBSTONES)
    op.execute("ALTER TABLE commerce.pull_stream ADD COLUMN slices jsonb")
    for table in TABLES:
        isolate_tenant(f"commerce.{table}")
    store_wide("commerce.collection", "description_html")
    store_wide("commerce.metafield", "value")
    op.execute(_analyze((*BEFORE, *TABLES)))


def downgrade() -> None:
    op.execute(_analyze(BEFORE))
    op.execute("ALTER TABLE commerce.pull_stream DROP COLUMN slices")
    for name in ("product", "variant"):
        op.execute(f"DROP INDEX commerce.{name}_gone_idx")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE commerce.{table}")
