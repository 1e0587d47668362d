"""Profiles, friends, and who may see what of whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncline.apps.accounts.personal import isolate_person
from syncline.runtime.db.isolation import isolate_tenant

revision = "accounts_0009"
down_revision = "accounts_0008"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _profiles()
    op.create_table(
        "friendship",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("first_id", sa.Uuid, nullable=False),
        sa.Column("second_id", sa.Uuid, nullable=False),
        sa.Column("asked_by", sa.Uuid, nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("accepted_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "first_id", "second_id", name="pk_friendship"),
        sa.CheckConstraint("first_id < second_id", name="ck_friendship_first_before_second"),
        _member("friendship", "first_id"),
        _member("friendship", "second_id"),
        schema="accounts",
        comment="One row for both, so that the two sides cannot disagree.",
    )
    op.create_index("ix_friendship_tenant_id_second_id", "friendship", ["tenant_id", "second_id"], schema="accounts")
    op.create_table(
        "block",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("blocker_id", sa.Uuid, nullable=False),
        sa.Column("blocked_id", sa.Uuid, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "blocker_id", "blocked_id", name="pk_block"),
        _member("block", "blocker_id"),
        _member("block", "blocked_id"),
        schema="accounts",
    )
    op.create_index("ix_block_tenant_id_blocked_id", "block", ["tenant_id", "blocked_id"], schema="accounts")
    op.create_table(
        "visibility",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("progress", sa.Text, nullable=False),
        sa.Column("leaderboard", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name="pk_visibility"),
        _member("visibility", "user_id"),
        schema="accounts",
        comment="everyone, friends or nobody; who said nothing has the defaults",
    )
    for table in ("friendship", "block", "visibility"):
        isolate_tenant(f"accounts.{table}")


def _profiles() -> None:
    op.create_table(
        "profile",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("locale", sa.Text, comment="BCP 47, like de-AT"),
        sa.Column("time_zone", sa.Text, comment="IANA, like Europe/Vienna"),
        sa.Column("goals", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("minutes_a_day", sa.Integer),
        sa.Column("reminder_times", sa.ARRAY(sa.Text), nullable=False, comment="HH:MM in the person's zone"),
        sa.Column("reduced_motion", sa.Boolean, nullable=False),
        sa.Column("high_contrast", sa.Boolean, nullable=False),
        sa.Column("screen_reader", sa.Boolean, nullable=False),
        sa.Column("captions", sa.Boolean, nullable=False),
        sa.Column("text_percent", sa.Integer, nullable=False),
        sa.Column("extra_time_percent", sa.Integer, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_profile"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts.user_account.id"], name="fk_profile_user_id", ondelete="CASCADE"
        ),
        schema="accounts",
    )
    isolate_person("accounts.profile")
    # A tenant reads those of its members: which they are, the policies of `membership` decide.
    op.execute(
        "CREATE POLICY member ON accounts.profile FOR SELECT USING"
        " (EXISTS (SELECT FROM accounts.membership m WHERE m.user_id = profile.user_id))"
    )


def _member(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        ["accounts.membership.tenant_id", "accounts.membership.user_id"],
        name=f"fk_{table}_tenant_id_{column}",
        ondelete="CASCADE",
    )


def downgrade() -> None:
    for table in ("visibility", "block", "friendship", "profile"):
        op.drop_table(table, schema="accounts")
