"""Mails to people, and the tokens in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncline.apps.accounts.personal import isolate_person

revision = "accounts_0003"
down_revision = "accounts_0002"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "outgoing_mail",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("sealed_text", sa.LargeBinary, comment="Holds tokens, so it is sealed; gone once it is sent"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("sent_at", _MOMENT),
        sa.Column("failed_at", _MOMENT),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing_mail"),
        schema="accounts",
        comment="To people, who may belong to several tenants or to none yet, so not tenant-scoped.",
    )
    op.create_index("ix_outgoing_mail_created_at", "outgoing_mail", ["created_at"], schema="accounts")
    op.create_table(
        "one_time_token",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False, comment="The address it was sent to"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT),
        sa.PrimaryKeyConstraint("digest", name="pk_one_time_token"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts.user_account.id"], name="fk_one_time_token_user_id", ondelete="CASCADE"
        ),
        schema="accounts",
    )
    op.create_index("ix_one_time_token_user_id", "one_time_token", ["user_id"], schema="accounts")
    isolate_person("accounts.one_time_token")


def downgrade() -> None:
    op.drop_table("one_time_token", schema="accounts")
    op.drop_table("outgoing_mail", schema="accounts")
