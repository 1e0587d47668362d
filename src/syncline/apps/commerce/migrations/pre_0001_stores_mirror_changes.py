"""Stores, mirror, pulls, reconciliations, staged changes, pushes and receipts."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import create_schema, drop_schema, isolate_tenant, store_wide
from syncline.runtime.db.names import APP_ROLE

revision = "commerce_0001"
down_revision = None
branch_labels = ("commerce",)
depends_on = None

TABLES = (
    *("store", "product", "variant", "location", "inventory_level", "pull_run"),
    *(
        "pull_stream",
        "pull_seen",
        "stream_state",
        "reconciliation",
        "change_batch",
        "staged_change",
        "push_run",
        "receipt",
    ),
)

DEFINITION = """
CREATE TABLE commerce.store (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    shop_domain text NOT NULL,
    base_url text,
    token_sealed bytea NOT NULL,
    api_version text NOT NULL,
    shop_name text NOT NULL,
    currency text NOT NULL,
    plan text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_store PRIMARY KEY (id),
    CONSTRAINT store_name_key UNIQUE (tenant_id, name),
    CONSTRAINT store_domain_key UNIQUE (tenant_id, shop_domain)
);
CREATE TABLE commerce.product (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    handle text NOT NULL,
    title text NOT NULL,
    description_html text NOT NULL,
    vendor text NOT NULL,
    product_type text NOT NULL,
    status text NOT NULL,
    tags text[] NOT NULL,
    template_suffix text,
    seo_title text,
    seo_description text,
    is_gift_card boolean NOT NULL,
    options jsonb NOT NULL,
    variants_count integer,
    created_at timestamptz,
    published_at timestamptz,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_product PRIMARY KEY (store_id, id)
);
CREATE INDEX product_handle_idx ON commerce.product (store_id, handle);
CREATE INDEX product_vendor_idx ON commerce.product (store_id, vendor);
CREATE TABLE commerce.variant (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    product_id bigint NOT NULL,
    title text NOT NULL,
    sku text,
    barcode text,
    price numeric NOT NULL,
    compare_at_price numeric,
    position integer NOT NULL,
    taxable boolean NOT NULL,
    inventory_policy text NOT NULL,
    selected_options jsonb NOT NULL,
    inventory_item_id bigint NOT NULL,
    tracked boolean NOT NULL,
    requires_shipping boolean NOT NULL,
    cost numeric,
    weight numeric,
    weight_unit text,
    created_at timestamptz,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_variant PRIMARY KEY (store_id, id)
);
CREATE INDEX variant_item_idx ON commerce.variant (store_id, inventory_item_id);
CREATE INDEX variant_product_idx ON commerce.variant (store_id, product_id);
CREATE TABLE commerce.location (
    store_id uuid NOT NULL,
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    is_active boolean NOT NULL,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_location PRIMARY KEY (store_id, id)
);
CREATE TABLE commerce.inventory_level (
    store_id uuid NOT NULL,
    inventory_item_id bigint NOT NULL,
    location_id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    available integer,
    on_hand integer,
    committed integer,
    incoming integer,
    source_updated_at timestamptz,
    line_hash bigint NOT NULL,
    content_hash bigint NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_inventory_level PRIMARY KEY (store_id, inventory_item_id, location_id)
);
CREATE TABLE commerce.pull_run (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    mode text NOT NULL,
    status text NOT NULL,
    requested_by text NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    error text,
    reconciliation_id uuid,
    CONSTRAINT pk_pull_run PRIMARY KEY (id)
);
CREATE UNIQUE INDEX pull_run_one_live_idx ON commerce.pull_run (store_id) WHERE status IN ('queued', 'running');
CREATE TABLE commerce.pull_stream (
    run_id uuid NOT NULL,
    stream text NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    status text NOT NULL,
    epoch integer NOT NULL,
    path_wanted text,
    path text,
    reason text,
    since timestamptz,
    operation_id text,
    read_from timestamptz,
    cursor text,
    restarts integer NOT NULL,
    total bigint,
    expected bigint,
    read bigint NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    deleted bigint NOT NULL,
    duplicates bigint NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    error text,
    notes jsonb NOT NULL,
    is_incomplete boolean NOT NULL,
    CONSTRAINT pk_pull_stream PRIMARY KEY (run_id, stream)
);
CREATE TABLE commerce.pull_seen (
    run_id uuid NOT NULL,
    stream text NOT NULL,
    chunk text NOT NULL,
    kind text NOT NULL,
    tenant_id uuid NOT NULL,
    keys bigint[] NOT NULL,
    second_keys bigint[],
    CONSTRAINT pk_pull_seen PRIMARY KEY (run_id, stream, chunk, kind)
);
CREATE TABLE commerce.stream_state (
    store_id uuid NOT NULL,
    stream text NOT NULL,
    tenant_id uuid NOT NULL,
    high_water timestamptz,
    last_full_at timestamptz,
    rates jsonb,
    CONSTRAINT pk_stream_state PRIMARY KEY (store_id, stream)
);
CREATE TABLE commerce.reconciliation (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    run_id uuid,
    method text NOT NULL,
    agreed boolean NOT NULL,
    repaired integer NOT NULL,
    kinds jsonb NOT NULL,
    notes jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_reconciliation PRIMARY KEY (id)
);
CREATE INDEX reconciliation_store_idx ON commerce.reconciliation (store_id, created_at);
CREATE TABLE commerce.change_batch (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    kind text NOT NULL,
    summary text NOT NULL,
    author text NOT NULL,
    reverts_id uuid,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_change_batch PRIMARY KEY (id)
);
CREATE INDEX change_batch_store_idx ON commerce.change_batch (store_id, created_at);
CREATE TABLE commerce.staged_change (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    store_id uuid NOT NULL,
    kind text NOT NULL,
    resource_id bigint NOT NULL,
    location_id bigint,
    product_id bigint NOT NULL,
    label text NOT NULL,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    theirs jsonb,
    status text NOT NULL,
    author text NOT NULL,
    reviewer text,
    note text,
    sentence text,
    reverts_id uuid,
    push_run_id uuid,
    attempt bigint NOT NULL,
    created_at timestamptz NOT NULL,
    reviewed_at timestamptz,
    CONSTRAINT pk_staged_change PRIMARY KEY (id)
);
CREATE INDEX staged_change_batch_idx ON commerce.staged_change (batch_id, id);
CREATE INDEX staged_change_queue_idx ON commerce.staged_change (store_id, status, product_id);
CREATE TABLE commerce.push_run (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    batch_id uuid,
    status text NOT NULL,
    requested_by text NOT NULL,
    total integer NOT NULL,
    epoch integer NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    error text,
    CONSTRAINT pk_push_run PRIMARY KEY (id)
);
CREATE UNIQUE INDEX push_run_one_live_idx ON commerce.push_run (store_id) WHERE status IN ('queued', 'running');
CREATE TABLE commerce.receipt (
    change_id uuid NOT NULL,
    attempt integer NOT NULL,
    tenant_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    push_run_id uuid NOT NULL,
    outcome text NOT NULL,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    verified_by text NOT NULL,
    vendor_code text,
    sentence text,
    store_updated_at timestamptz,
    sent_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT pk_receipt PRIMARY KEY (change_id, attempt)
);
CREATE INDEX receipt_batch_idx ON commerce.receipt (batch_id);
"""

# The application role may not ANALYZE tables it does not own. Autovacuum comes a minute after a first pull has ended;
# until then every plan is made for an empty table.
STATISTICS = f"""
CREATE FUNCTION commerce.analyze_mirror() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    ANALYZE commerce.product, commerce.variant, commerce.location, commerce.inventory_level;
    ANALYZE commerce.pull_seen;
END $$;
REVOKE ALL ON FUNCTION commerce.analyze_mirror() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION commerce.analyze_mirror() TO {APP_ROLE};
"""


def upgrade() -> None:
    create_schema("commerce")
    op.execute(DEFINITION)
    for table in TABLES:
        isolate_tenant(f"commerce.{table}")
    store_wide("commerce.product", "description_html")
    op.execute(STATISTICS)


def downgrade() -> None:
    op.execute("DROP FUNCTION commerce.analyze_mirror()")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE commerce.{table}")
    drop_schema("commerce")
