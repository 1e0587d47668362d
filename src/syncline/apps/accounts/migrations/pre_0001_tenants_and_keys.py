"""Tenants and their keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.db.isolation import create_schema, drop_schema, isolate_tenant

revision = "accounts_0001"
down_revision = None
branch_labels = ("accounts",)
depends_on = None


def upgrade() -> None:
    create_schema("accounts")
    moment = sa.DateTime(timezone=True)
    tenant = op.create_table(
        "tenant",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenant"),
        sa.UniqueConstraint("slug", name="uq_tenant_slug"),
        schema="accounts",
        comment="The directory: read before a tenant is known, so it is not tenant-scoped and holds nothing but names.",
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("last_used_at", moment),
        sa.Column("revoked_at", moment),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("digest", name="uq_api_key_digest"),
        schema="accounts",
    )
    op.create_index("ix_api_key_tenant_id_prefix", "api_key", ["tenant_id", "prefix"], schema="accounts")
    isolate_tenant("accounts.api_key")
    # The tenant that every command works for unless another is named.
    op.bulk_insert(tenant, [{"id": new_id(), "slug": "main", "name": "Main", "created_at": clock.now()}])


def downgrade() -> None:
    op.drop_table("api_key", schema="accounts")
    op.drop_table("tenant", schema="accounts")
    drop_schema("accounts")
