"""Channels, and what they were told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from syncline.runtime.db.isolation import create_schema, drop_schema, isolate_tenant

revision = "operations_0001"
down_revision = None
branch_labels = ("operations",)
depends_on = None


def upgrade() -> None:
    create_schema("operations")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "channel",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column(
            "sealed_address", sa.LargeBinary, nullable=False, comment="A webhook's address is a secret by itself"
        ),
        sa.Column("sealed_secret", sa.LargeBinary, comment="Signs what a webhook is sent"),
        sa.Column("operations", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("only_failures", sa.Boolean, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.Column("disabled_because", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_channel"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_channel_tenant_id_name"),
        schema="operations",
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("channel_id", sa.Uuid, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("body", postgresql.JSONB, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("vendor_code", sa.Text),
        sa.Column("sentence", sa.Text),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("sent_at", moment),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["operations.channel.id"], name="fk_delivery_channel_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("channel_id", "event_id", name="uq_delivery_channel_id_event_id"),
        schema="operations",
    )
    op.create_index("ix_delivery_tenant_id_created_at", "delivery", ["tenant_id", "created_at"], schema="operations")
    isolate_tenant("operations.channel")
    isolate_tenant("operations.delivery")


def downgrade() -> None:
    op.drop_table("delivery", schema="operations")
    op.drop_table("channel", schema="operations")
    drop_schema("operations")
