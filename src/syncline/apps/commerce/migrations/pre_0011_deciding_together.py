"""Counts of staged changes that are kept, selections, notes, who is asked to decide, and until when."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant

revision = "commerce_0011"
down_revision = "commerce_0010"
branch_labels = None
depends_on = None

DEFINITION = """
ALTER TABLE commerce.staged_change
    ADD COLUMN vendor text NOT NULL DEFAULT '',
    ADD COLUMN assignee text,
    ADD COLUMN assignee_id uuid,
    ADD COLUMN expires_at timestamptz;
ALTER TABLE commerce.review_rule ADD COLUMN expire_after_days integer;
CREATE TABLE commerce.change_note (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    change_id uuid NOT NULL,
    author text NOT NULL,
    text text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_change_note PRIMARY KEY (id)
);
CREATE INDEX change_note_change_idx ON commerce.change_note (change_id, id);
CREATE TABLE commerce.change_selection (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    search text NOT NULL,
    ids uuid[] NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_change_selection PRIMARY KEY (id)
);
CREATE INDEX change_selection_tenant_idx ON commerce.change_selection (tenant_id, expires_at);
CREATE TABLE commerce.change_expiry (
    batch_id uuid NOT NULL,
    tenant uuid NOT NULL,
    due_at timestamptz NOT NULL,
    CONSTRAINT pk_change_expiry PRIMARY KEY (batch_id)
);
CREATE INDEX change_expiry_due_idx ON commerce.change_expiry (due_at);
CREATE TABLE commerce.change_tally (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    kind text NOT NULL,
    vendor text NOT NULL,
    status text NOT NULL,
    n bigint NOT NULL,
    is_folded boolean NOT NULL DEFAULT false,
    CONSTRAINT pk_change_tally PRIMARY KEY (id)
);
CREATE UNIQUE INDEX change_tally_folded_idx ON commerce.change_tally (tenant_id, store_id, kind, vendor, status)
    WHERE is_folded;
CREATE INDEX change_tally_new_idx ON commerce.change_tally (tenant_id) WHERE NOT is_folded;
"""

# Before anybody's rows are bound to their tenant: the owner of the tables fills in what there is already. Of changes
# that are at their end nobody asks for the vendor any more.
FILL = """
ALTER TABLE commerce.staged_change NO FORCE ROW LEVEL SECURITY;
ALTER TABLE commerce.product NO FORCE ROW LEVEL SECURITY;
UPDATE commerce.staged_change c SET vendor = p.vendor
    FROM commerce.product p
    WHERE p.tenant_id = c.tenant_id AND p.store_id = c.store_id AND p.id = c.product_id AND p.vendor <> ''
    AND c.status IN ('pending', 'approved', 'sending', 'conflict', 'failed');
INSERT INTO commerce.change_tally (tenant_id, store_id, kind, vendor, status, n, is_folded)
    SELECT tenant_id, store_id, kind, vendor, status, count(*), true FROM commerce.staged_change
    GROUP BY tenant_id, store_id, kind, vendor, status;
ALTER TABLE commerce.product FORCE ROW LEVEL SECURITY;
ALTER TABLE commerce.staged_change FORCE ROW LEVEL SECURITY;
"""

# Whatever moves a change, and however many, is counted in the transaction that moves it. What is counted is written
# beside what is there, never over it: two who move changes at once do not wait for each other here.
TRIGGERS = """
CREATE FUNCTION commerce.tally_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO commerce.change_tally (tenant_id, store_id, kind, vendor, status, n)
            SELECT tenant_id, store_id, kind, vendor, status, count(*) FROM rows_after
            GROUP BY tenant_id, store_id, kind, vendor, status;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO commerce.change_tally (tenant_id, store_id, kind, vendor, status, n)
            SELECT tenant_id, store_id, kind, vendor, status, -count(*) FROM rows_before
            GROUP BY tenant_id, store_id, kind, vendor, status;
    ELSE
        INSERT INTO commerce.change_tally (tenant_id, store_id, kind, vendor, status, n)
            SELECT tenant_id, store_id, kind, vendor, status, sum(step) FROM (
                SELECT tenant_id, store_id, kind, vendor, status, 1 AS step FROM rows_after
                UNION ALL SELECT tenant_id, store_id, kind, vendor, status, -1 FROM rows_before
            ) AS moved GROUP BY tenant_id, store_id, kind, vendor, status HAVING sum(step) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tally_staged AFTER INSERT ON commerce.staged_change
    REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION commerce.tally_changes();
CREATE TRIGGER tally_moved AFTER UPDATE ON commerce.staged_change
    REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after
    FOR EACH STATEMENT EXECUTE FUNCTION commerce.tally_changes();
CREATE TRIGGER tally_removed AFTER DELETE ON commerce.staged_change
    REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION commerce.tally_changes();
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    op.execute(FILL)
    op.execute(TRIGGERS)
    for table in ("change_note", "change_selection", "change_tally"):
        isolate_tenant(f"commerce.{table}")


def downgrade() -> None:
    op.execute("DROP TRIGGER tally_removed ON commerce.staged_change")
    op.execute("DROP TRIGGER tally_moved ON commerce.staged_change")
    op.execute("DROP TRIGGER tally_staged ON commerce.staged_change")
    op.execute("DROP FUNCTION commerce.tally_changes()")
    op.execute(
        "DROP TABLE commerce.change_tally, commerce.change_expiry, commerce.change_selection, commerce.change_note"
    )
    op.execute("ALTER TABLE commerce.review_rule DROP COLUMN expire_after_days")
    op.execute("ALTER TABLE commerce.staged_change NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE commerce.staged_change SET status = 'rejected' WHERE status = 'expired'")
    op.execute("ALTER TABLE commerce.staged_change FORCE ROW LEVEL SECURITY")
    op.execute(
        "ALTER TABLE commerce.staged_change"
        " DROP COLUMN vendor, DROP COLUMN assignee, DROP COLUMN assignee_id, DROP COLUMN expires_at"
    )
