"""People, their places in tenants, their sessions, and the keys that sign access tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncline.apps.accounts.personal import isolate_person
from syncline.runtime.db.isolation import isolate_tenant

revision = "accounts_0002"
down_revision = "accounts_0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("tenant", sa.Column("shop_domain", sa.Text), schema="accounts")
    _people()
    _sessions()
    op.create_table(
        "sign_in_throttle",
        sa.Column(
            "account", sa.LargeBinary, nullable=False, comment="SHA-256 of the e-mail, whether it has an account or not"
        ),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failed_at", _MOMENT, nullable=False),
        sa.Column("closed_until", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("account", "address", name="pk_sign_in_throttle"),
        schema="accounts",
    )
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.Text, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("signs_from", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_key"),
        schema="accounts",
    )


def _people() -> None:
    op.create_table(
        "user_account",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("email", sa.Text, nullable=False, comment="As the person writes it"),
        sa.Column(
            "email_key",
            sa.Text,
            nullable=False,
            comment="As it is compared: one account per address, whatever its capitals",
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, comment="Argon2id; null for who signs in elsewhere only"),
        sa.Column("password_changed_at", _MOMENT),
        sa.Column("email_verified_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("disabled_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_user_account"),
        sa.UniqueConstraint("email_key", name="uq_user_account_email_key"),
        schema="accounts",
        comment="The people of the installation: found by e-mail before a tenant is known, so not tenant-scoped.",
    )
    op.create_table(
        "membership",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name="pk_membership"),
        sa.ForeignKeyConstraint(["tenant_id"], ["accounts.tenant.id"], name="fk_membership_tenant_id"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts.user_account.id"], name="fk_membership_user_id", ondelete="CASCADE"
        ),
        schema="accounts",
    )
    op.create_index("ix_membership_user_id", "membership", ["user_id"], schema="accounts")
    isolate_tenant("accounts.membership")
    isolate_person("accounts.membership", reading_only=True)


def _sessions() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column(
            "methods", sa.ARRAY(sa.Text), nullable=False, comment="How the person proved who he is: pwd, otp, oidc"
        ),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("last_seen_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False, comment="However often it is renewed"),
        sa.Column("ended_at", _MOMENT),
        sa.Column("ended_because", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts.user_account.id"], name="fk_session_user_id", ondelete="CASCADE"
        ),
        schema="accounts",
    )
    op.create_index("ix_session_user_id", "session", ["user_id"], schema="accounts")
    op.create_index("ix_session_tenant_id_user_id", "session", ["tenant_id", "user_id"], schema="accounts")
    isolate_tenant("accounts.session")
    isolate_person("accounts.session")
    op.create_table(
        "refresh_token",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("issued_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT),
        sa.PrimaryKeyConstraint("digest", name="pk_refresh_token"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["accounts.session.id"], name="fk_refresh_token_session_id", ondelete="CASCADE"
        ),
        schema="accounts",
        comment="Used ones are kept as long as their session, so that using one again is recognised.",
    )
    op.create_index("ix_refresh_token_session_id", "refresh_token", ["session_id"], schema="accounts")
    isolate_person("accounts.refresh_token")


def downgrade() -> None:
    for table in ("signing_key", "sign_in_throttle", "refresh_token", "session", "membership", "user_account"):
        op.drop_table(table, schema="accounts")
    op.drop_column("tenant", "shop_domain", schema="accounts")
