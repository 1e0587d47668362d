"""Which webhooks are dead letters, for who looks through all tenants: kept by the database itself, whoever changes the
state of a webhook."""

from __future__ import annotations

from alembic import op

revision = "commerce_0021"
down_revision = "commerce_0020"
branch_labels = None
depends_on = None

# Conditions stand at the triggers and not in the function: it is called for the few that live or die, not for each of
# the thousands that a second brings.
DEFINITION = """
CREATE TABLE commerce.webhook_dead (
    event_id uuid NOT NULL,
    tenant uuid NOT NULL,
    CONSTRAINT pk_webhook_dead PRIMARY KEY (event_id)
);
CREATE INDEX webhook_dead_tenant_idx ON commerce.webhook_dead (tenant);
CREATE FUNCTION commerce.note_dead_webhook() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM commerce.webhook_dead WHERE event_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = 'dead' THEN
        INSERT INTO commerce.webhook_dead (event_id, tenant) VALUES (NEW.id, NEW.tenant_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER webhook_is_dead AFTER INSERT ON commerce.webhook_event
    FOR EACH ROW WHEN (NEW.state = 'dead') EXECUTE FUNCTION commerce.note_dead_webhook();
CREATE TRIGGER webhook_dies_or_lives AFTER UPDATE OF state ON commerce.webhook_event
    FOR EACH ROW WHEN ((OLD.state = 'dead') <> (NEW.state = 'dead')) EXECUTE FUNCTION commerce.note_dead_webhook();
CREATE TRIGGER dead_webhook_goes AFTER DELETE ON commerce.webhook_event
    FOR EACH ROW WHEN (OLD.state = 'dead') EXECUTE FUNCTION commerce.note_dead_webhook();
"""

# The owner of the tables enters those that there are, of every tenant.
FILL = """
ALTER TABLE commerce.webhook_event NO FORCE ROW LEVEL SECURITY;
INSERT INTO commerce.webhook_dead (event_id, tenant)
    SELECT id, tenant_id FROM commerce.webhook_event WHERE state = 'dead';
ALTER TABLE commerce.webhook_event FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    op.execute(DEFINITION)
    op.execute(FILL)


def downgrade() -> None:
    for trigger in ("webhook_is_dead", "webhook_dies_or_lives", "dead_webhook_goes"):
        op.execute(f"DROP TRIGGER {trigger} ON commerce.webhook_event")
    op.execute("DROP FUNCTION commerce.note_dead_webhook()")
    op.execute("DROP TABLE commerce.webhook_dead")
