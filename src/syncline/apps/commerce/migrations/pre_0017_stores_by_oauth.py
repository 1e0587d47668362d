"""Stores joined by OAuth: apps and their secrets, grants that expire, installs on their way, shops across tenants."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0017"
down_revision = "commerce_0016"
branch_labels = None
depends_on = None

DEFINITION = """
ALTER TABLE commerce.store
    ALTER COLUMN token_sealed DROP NOT NULL,
    ADD COLUMN uninstalled_at timestamptz;
CREATE TABLE commerce.shopify_app (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    client_id text NOT NULL,
    secret_sealed bytea NOT NULL,
    other_secret_sealed bytea,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    rotated_at timestamptz,
    CONSTRAINT pk_shopify_app PRIMARY KEY (id),
    CONSTRAINT shopify_app_client_key UNIQUE (tenant_id, client_id)
);
CREATE TABLE commerce.store_grant (
    store_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    app_id uuid,
    secret_sealed bytea,
    other_secret_sealed bytea,
    granted_at timestamptz NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz,
    refresh_sealed bytea,
    refresh_expires_at timestamptz,
    lease uuid,
    lease_until timestamptz,
    trouble text,
    needs_consent boolean NOT NULL DEFAULT false,
    CONSTRAINT pk_store_grant PRIMARY KEY (store_id),
    CONSTRAINT store_grant_store_fkey FOREIGN KEY (store_id) REFERENCES commerce.store (id) ON DELETE CASCADE,
    CONSTRAINT store_grant_app_fkey FOREIGN KEY (app_id) REFERENCES commerce.shopify_app (id)
);
CREATE INDEX store_grant_app_idx ON commerce.store_grant (app_id);
CREATE TABLE commerce.store_install (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    app_id uuid NOT NULL,
    state bytea NOT NULL,
    browser bytea,
    shop_domain text NOT NULL,
    base_url text,
    name text NOT NULL,
    return_to text,
    status text NOT NULL,
    sentence text,
    store_id uuid,
    requested_by text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_store_install PRIMARY KEY (id),
    CONSTRAINT store_install_state_key UNIQUE (state),
    CONSTRAINT store_install_app_fkey FOREIGN KEY (app_id) REFERENCES commerce.shopify_app (id) ON DELETE CASCADE
);
CREATE INDEX store_install_app_idx ON commerce.store_install (app_id);
CREATE INDEX store_install_tenant_idx ON commerce.store_install (tenant_id, created_at);
CREATE TABLE commerce.shop_directory (
    store_id uuid NOT NULL,
    tenant uuid NOT NULL,
    shop_domain text NOT NULL,
    client_id text,
    renew_at timestamptz,
    CONSTRAINT pk_shop_directory PRIMARY KEY (store_id),
    CONSTRAINT shop_directory_app_key UNIQUE (shop_domain, client_id),
    CONSTRAINT shop_directory_store_fkey FOREIGN KEY (store_id) REFERENCES commerce.store (id) ON DELETE CASCADE
);
CREATE INDEX shop_directory_renew_idx ON commerce.shop_directory (renew_at);
"""

# Before anybody's rows are bound to their tenant: the owner of the tables enters the stores that there are.
FILL = """
ALTER TABLE commerce.store NO FORCE ROW LEVEL SECURITY;
INSERT INTO commerce.shop_directory (store_id, tenant, shop_domain)
    SELECT id, tenant_id, shop_domain FROM commerce.store;
ALTER TABLE commerce.store FORCE ROW LEVEL SECURITY;
"""

# An earlier release opens every token there is: a store without one keeps an empty one, which nothing opens.
BACK = """
DROP TABLE commerce.shop_directory, commerce.store_install, commerce.store_grant, commerce.shopify_app;
ALTER TABLE commerce.store NO FORCE ROW LEVEL SECURITY;
UPDATE commerce.store SET token_sealed = '' WHERE token_sealed IS NULL;
ALTER TABLE commerce.store FORCE ROW LEVEL SECURITY;
ALTER TABLE commerce.store ALTER COLUMN token_sealed SET NOT NULL, DROP COLUMN uninstalled_at;
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    op.execute(FILL)
    for table in ("shopify_app", "store_grant", "store_install"):
        isolate_tenant(f"commerce.{table}")


def downgrade() -> None:
    op.execute(BACK)
