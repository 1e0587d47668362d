"""Signing in with OpenID providers, of the installation and of tenants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "accounts_0008"
down_revision = "accounts_0007"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "oidc_provider",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, comment="None for a public client"),
        sa.Column("new_people_role", sa.Text, comment="What people get whom nobody invited; null lets nobody in"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_oidc_provider"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_oidc_provider_tenant_id_name"),
        sa.ForeignKeyConstraint(["tenant_id"], ["accounts.tenant.id"], name="fk_oidc_provider_tenant_id"),
        schema="accounts",
    )
    isolate_tenant("accounts.oidc_provider")
    _identities()
    _flows()


def _identities() -> None:
    op.create_table(
        "oidc_identity",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("provider", sa.Text, nullable=False, comment="A name of the settings, or the id of a tenant's"),
        sa.Column(
            "issuer",
            sa.Text,
            nullable=False,
            comment="A provider that is pointed elsewhere knows none of the earlier people",
        ),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("email", sa.Text, comment="What the provider said when it was linked, to tell identities apart"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("last_used_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_oidc_identity"),
        sa.UniqueConstraint("provider", "issuer", "subject", name="uq_oidc_identity_provider_issuer_subject"),
        _of_a_person("oidc_identity"),
        schema="accounts",
        comment="Found by what a provider says, before a person or tenant is known, so not tenant-scoped.",
    )
    op.create_index("ix_oidc_identity_user_id", "oidc_identity", ["user_id"], schema="accounts")


def _flows() -> None:
    op.create_table(
        "oidc_flow",
        sa.Column("digest", sa.LargeBinary, nullable=False, comment="SHA-256 of the state"),
        sa.Column("browser", sa.LargeBinary, nullable=False, comment="SHA-256 of the cookie of the browser that began"),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("provider_tenant_id", sa.Uuid, comment="Whose provider it is; null for one of the installation"),
        sa.Column("tenant", sa.Text, comment="Where the person wants to go"),
        sa.Column("user_id", sa.Uuid, comment="Whom to link the identity to; null for signing in"),
        sa.Column("session_id", sa.Uuid),
        sa.Column("sealed_exchange", sa.LargeBinary, nullable=False, comment="Nonce and code verifier"),
        sa.Column("return_to", sa.Text, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_oidc_flow"),
        _of_a_person("oidc_flow"),
        schema="accounts",
        comment="A sign-in that is on its way, before anybody is known. Each row is good once.",
    )
    op.create_index("ix_oidc_flow_user_id", "oidc_flow", ["user_id"], schema="accounts")


def _of_a_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["accounts.user_account.id"], name=f"fk_{table}_user_id", ondelete="CASCADE"
    )


def downgrade() -> None:
    for table in ("oidc_flow", "oidc_identity", "oidc_provider"):
        op.drop_table(table, schema="accounts")
