"""Invitations into a tenant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "accounts_0006"
down_revision = "accounts_0005"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("accepted_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("digest", name="uq_invitation_digest"),
        schema="accounts",
    )
    op.create_index("ix_invitation_tenant_id_email_key", "invitation", ["tenant_id", "email_key"], schema="accounts")
    isolate_tenant("accounts.invitation")


def downgrade() -> None:
    op.drop_table("invitation", schema="accounts")
