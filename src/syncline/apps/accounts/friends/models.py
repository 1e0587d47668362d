from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table

from syncline.apps.accounts.tables import METADATA, moment, text, uuid


def _member(column: str) -> Any:
    """Whoever leaves the tenant leaves nothing of this behind."""
    columns = ["accounts.membership.tenant_id", "accounts.membership.user_id"]
    return ForeignKeyConstraint(["tenant_id", column], columns, ondelete="CASCADE")


friendship = Table(
    "friendship",
    METADATA,
    uuid("tenant_id"),
    uuid("first_id"),
    uuid("second_id"),
    uuid("asked_by"),
    moment("asked_at"),
    moment("accepted_at", nullable=True),
    PrimaryKeyConstraint("tenant_id", "first_id", "second_id"),
    CheckConstraint("first_id < second_id", name="first_before_second"),
    _member("first_id"),
    _member("second_id"),
    Index(None, "tenant_id", "second_id"),
    comment="One row for both, so that the two sides cannot disagree.",
)

block = Table(
    "block",
    METADATA,
    uuid("tenant_id"),
    uuid("blocker_id"),
    uuid("blocked_id"),
    moment("created_at"),
    PrimaryKeyConstraint("tenant_id", "blocker_id", "blocked_id"),
    _member("blocker_id"),
    _member("blocked_id"),
    Index(None, "tenant_id", "blocked_id"),
)

visibility = Table(
    "visibility",
    METADATA,
    uuid("tenant_id"),
    uuid("user_id"),
    text("profile"),
    text("progress"),
    text("leaderboard"),
    PrimaryKeyConstraint("tenant_id", "user_id"),
    _member("user_id"),
    comment="everyone, friends or nobody; who said nothing has the defaults",
)
