"""What the trail says of people, apart from the chain of hashes: it can be forgotten, and never changed."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant
from syncline.runtime.db.names import APP_ROLE

revision = "runtime_0007"
down_revision = "runtime_0006"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE audit.particular (
    tenant_id uuid NOT NULL,
    ref text NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    value text,
    salt bytea,
    erased_at timestamptz,
    PRIMARY KEY (tenant_id, ref),
    CONSTRAINT particular_known_or_erased
        CHECK ((value IS NULL) = (salt IS NULL) AND (value IS NULL) = (erased_at IS NOT NULL))
);
CREATE UNIQUE INDEX particular_known ON audit.particular (tenant_id, user_id, kind, value) WHERE value IS NOT NULL;
CREATE INDEX particular_value ON audit.particular (tenant_id, value) WHERE value IS NOT NULL;

CREATE FUNCTION audit.only_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.value IS NULL AND OLD.erased_at IS NULL
        AND (NEW.tenant_id, NEW.ref, NEW.user_id, NEW.kind) = (OLD.tenant_id, OLD.ref, OLD.user_id, OLD.kind)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what the audit trail says of people is forgotten, and neither changed nor removed'
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER particular_stays BEFORE UPDATE OR DELETE ON audit.particular
    FOR EACH ROW EXECUTE FUNCTION audit.only_forget();
CREATE TRIGGER particulars_stay BEFORE TRUNCATE ON audit.particular
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
    isolate_tenant("audit.particular")
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON audit.particular FROM {APP_ROLE}")
    op.execute(f"GRANT UPDATE (value, salt, erased_at) ON audit.particular TO {APP_ROLE}")


def downgrade() -> None:
    op.execute("DROP TABLE audit.particular")
    op.execute("DROP FUNCTION audit.only_forget")
