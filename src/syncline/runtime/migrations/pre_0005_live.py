"""What operations say of themselves while they run, numbered in the order of commits, and tickets to listen."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import create_schema, drop_schema, isolate_tenant

revision = "runtime_0005"
down_revision = "runtime_0004"
branch_labels = None
depends_on = None

# The trigger runs when the transaction commits: whoever has the tenant's counter keeps it only for the commit itself,
# and a message with a higher number is never seen before one with a lower. A sequence could not promise that.
TABLES = """
CREATE TABLE live.message (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    number bigint,
    room text NOT NULL,
    store text,
    type text NOT NULL,
    part text NOT NULL,
    level text NOT NULL,
    at timestamptz NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX message_number ON live.message (tenant_id, number);
CREATE INDEX message_room ON live.message (tenant_id, room, number);

CREATE TABLE live.counter (
    tenant_id uuid PRIMARY KEY,
    number bigint NOT NULL
);

CREATE TABLE live.ticket (
    tenant_id uuid NOT NULL,
    digest bytea NOT NULL,
    actor jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);

CREATE FUNCTION live.give_number() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE given bigint;
BEGIN
    INSERT INTO live.counter (tenant_id, number) VALUES (NEW.tenant_id, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET number = counter.number + 1
    RETURNING number INTO given;
    UPDATE live.message SET number = given WHERE tenant_id = NEW.tenant_id AND id = NEW.id;
    PERFORM pg_notify('syncline_live', NEW.tenant_id::text);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER message_is_numbered AFTER INSERT ON live.message
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION live.give_number();
"""


def upgrade() -> None:
    create_schema("live")
    op.get_bind().exec_driver_sql(TABLES)
    for table in ("message", "counter", "ticket"):
        isolate_tenant(f"live.{table}")


def downgrade() -> None:
    op.execute("DROP TABLE live.message, live.counter, live.ticket")
    op.execute("DROP FUNCTION live.give_number")
    drop_schema("live")
