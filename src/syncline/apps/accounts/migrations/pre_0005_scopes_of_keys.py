"""Keys may be narrower than their role, and be replaced while the old one works yet."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "accounts_0005"
down_revision = "accounts_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in _columns():
        op.add_column("api_key", column, schema="accounts")


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("scopes", sa.ARRAY(sa.Text), comment="Narrows the role; null narrows nothing"),
        sa.Column("replaced_by", sa.Uuid, comment="The key that took its place; it works until it expires"),
    )


def downgrade() -> None:
    op.drop_column("api_key", "replaced_by", schema="accounts")
    op.drop_column("api_key", "scopes", schema="accounts")
