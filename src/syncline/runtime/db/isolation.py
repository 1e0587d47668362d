"""Steps of migrations that decide who may see what. Called inside Alembic revisions only.

A tenant table has row-level security *forced*, which binds its owner too; only superusers and roles with BYPASSRLS see
past it, and `Database.open` refuses to work as one of those.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Connection, text

from syncline.runtime.db.names import APP_ROLE, TENANT_SETTING

_MINE = f"tenant_id = nullif(current_setting('{TENANT_SETTING}', true), '')::uuid"


def create_schema(app: str) -> None:
    """The schema of one app; what is made in it later is usable by the application role."""
    op.execute(f"CREATE SCHEMA {app}")
    op.execute(f"GRANT USAGE ON SCHEMA {app} TO {APP_ROLE}")
    defaults = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {app} GRANT"
    op.execute(f"{defaults} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP_ROLE}")
    op.execute(f"{defaults} USAGE, SELECT ON SEQUENCES TO {APP_ROLE}")


def drop_schema(app: str) -> None:
    """Undo `create_schema`; fails while anything is left in it."""
    op.execute(f"DROP SCHEMA {app}")


def isolate_tenant(table: str) -> None:
    """Bind `schema.table`, which has `tenant_id uuid not null`, to the tenant of the transaction.

    Other tenants' rows are not there to read, and cannot be written. A partition needs a call of its own, for it can be
    reached by its own name.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({_MINE}) WITH CHECK ({_MINE})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")


def store_wide(table: str, *columns: str) -> None:
    """For long texts that are loaded in bulk: lz4 where the server has it, else no compression, never pglz.

    Measured with 20,000 rows of 4 KB, COPY and merge: pglz 8-12,000 rows/s and 32 MB on disk, none 20,000 rows/s and
    157 MB (2 cores, November 2026). The embedded server is built without lz4.
    """
    lz4 = has_lz4(op.get_bind())
    for column in columns:
        how = "SET COMPRESSION lz4" if lz4 else "SET STORAGE EXTERNAL"
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} {how}")
    if not lz4:
        op.execute(f"ALTER TABLE {table} SET (toast_tuple_target = 8160)")  # up to a page they stay in the row


def has_lz4(connection: Connection) -> bool:
    query = "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
    return bool(connection.scalar(text(query)))


def unprotected_tables(connection: Connection) -> list[str]:
    """Tables with a `tenant_id` whose row-level security is not forced or has no policy. Must be empty."""
    query = """
        SELECT format('%s.%s', n.nspname, c.relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT (
            c.relrowsecurity AND c.relforcerowsecurity AND a.attnotnull
            AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
        )
        ORDER BY 1
    """
    return list(connection.scalars(text(query)))
