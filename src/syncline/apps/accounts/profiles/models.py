from __future__ import annotations

from sqlalchemy import ARRAY, Boolean, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Table, Text

from syncline.apps.accounts.tables import METADATA, moment, text, uuid

profile = Table(
    "profile",
    METADATA,
    uuid("user_id"),
    text("locale", nullable=True, comment="BCP 47, like de-AT"),
    text("time_zone", nullable=True, comment="IANA, like Europe/Vienna"),
    Column("goals", ARRAY(Text), nullable=False),
    Column("minutes_a_day", Integer, nullable=True),
    Column("reminder_times", ARRAY(Text), nullable=False, comment="HH:MM in the person's zone"),
    Column("reduced_motion", Boolean, nullable=False),
    Column("high_contrast", Boolean, nullable=False),
    Column("screen_reader", Boolean, nullable=False),
    Column("captions", Boolean, nullable=False),
    Column("text_percent", Integer, nullable=False),
    Column("extra_time_percent", Integer, nullable=False),
    moment("updated_at"),
    PrimaryKeyConstraint("user_id"),
    ForeignKeyConstraint(["user_id"], ["accounts.user_account.id"], ondelete="CASCADE"),
)
