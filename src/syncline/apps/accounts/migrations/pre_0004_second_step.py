"""The second step of a sign-in: a code from a phone, or a recovery code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncline.apps.accounts.personal import isolate_person

revision = "accounts_0004"
down_revision = "accounts_0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "totp_device",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("confirmed_at", _MOMENT),
        sa.Column("last_step", sa.BigInteger, comment="The step of the last code that was used: no code is good twice"),
        sa.PrimaryKeyConstraint("user_id", name="pk_totp_device"),
        _of_a_person("totp_device"),
        schema="accounts",
    )
    op.create_table(
        "recovery_code",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "digest", name="pk_recovery_code"),
        _of_a_person("recovery_code"),
        schema="accounts",
        comment="Those not used yet.",
    )
    op.create_table(
        "sign_in_challenge",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("methods", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("tenant", sa.Text, comment="The one that was asked for at the first step"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_in_challenge"),
        _of_a_person("sign_in_challenge"),
        schema="accounts",
    )
    op.create_index("ix_sign_in_challenge_user_id", "sign_in_challenge", ["user_id"], schema="accounts")
    for table in ("totp_device", "recovery_code", "sign_in_challenge"):
        isolate_person(f"accounts.{table}")


def _of_a_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["accounts.user_account.id"], name=f"fk_{table}_user_id", ondelete="CASCADE"
    )


def downgrade() -> None:
    for table in ("sign_in_challenge", "recovery_code", "totp_device"):
        op.drop_table(table, schema="accounts")
