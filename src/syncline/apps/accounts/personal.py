"""A step of migrations: rows that belong to a person, in whichever tenant he is."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.names import APP_ROLE

_OWN = "user_id = nullif(current_setting('syncline.user', true), '')::uuid"


def isolate_person(table: str, *, reading_only: bool = False) -> None:
    """Bind `schema.table`, which has `user_id uuid not null`, to the person named in the transaction.

    Beside `isolate_tenant` it adds: a person finds his own rows before a tenant is known.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    if reading_only:
        op.execute(f"CREATE POLICY person ON {table} FOR SELECT USING ({_OWN})")
    else:
        op.execute(f"CREATE POLICY person ON {table} USING ({_OWN}) WITH CHECK ({_OWN})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")
