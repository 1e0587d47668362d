"""Where a medium stands among those of its product, and in which order a run saw what it read.

Of media that are mirrored already the place is not known: the next pull of a store that has such reads all its media.
"""

from __future__ import annotations

from alembic import op

revision = "commerce_0012"
down_revision = "commerce_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE commerce.product_media ADD COLUMN position integer")
    op.execute("ALTER TABLE commerce.pull_seen ADD COLUMN ordinal bigint GENERATED ALWAYS AS IDENTITY")


def downgrade() -> None:
    op.execute("ALTER TABLE commerce.pull_seen DROP COLUMN ordinal")
    op.execute("ALTER TABLE commerce.product_media DROP COLUMN position")
