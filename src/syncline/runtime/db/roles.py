"""Roles and database-wide settings, made by an upgrade before the first migration and after the last."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from syncline.runtime.db.engine import OLDEST_VERSION
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.isolation import has_lz4
from syncline.runtime.db.names import APP_ROLE, HOUSE_SCHEMA


def prepare_roles(connection: Connection) -> None:
    """The application role, what it may do in this database, and our own schema. Safe to repeat.

    Raises `DatabaseUnavailable` with the statement to give to an administrator when the present role may not.
    """
    version = connection.scalar(text("SELECT current_setting('server_version_num')::int / 10000")) or 0
    if version < OLDEST_VERSION:
        raise DatabaseUnavailable(
            f"The database server is PostgreSQL {version}; Syncline needs {OLDEST_VERSION} or newer."
        )
    if not connection.scalar(text("SELECT has_database_privilege(current_database(), 'CREATE')")):
        raise DatabaseUnavailable(
            "This database role may not make schemas. Ask an administrator to run: "
            "GRANT CREATE ON DATABASE ... TO ... for it, or put a role that may into SYNCLINE_DATABASE_ADMIN_URL.",
        )
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {HOUSE_SCHEMA}"))
    if not _exists(connection):
        _ask(connection, f"CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE")
    if not connection.scalar(text(f"SELECT pg_has_role(current_user, '{APP_ROLE}', 'MEMBER')")):
        _ask(connection, f"GRANT {APP_ROLE} TO CURRENT_USER")
    name = connection.scalar(text("SELECT quote_ident(current_database())"))
    if _owns_database(connection):
        connection.execute(text(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {APP_ROLE}"))
        if has_lz4(connection):
            connection.execute(text(f"ALTER DATABASE {name} SET default_toast_compression = 'lz4'"))


def set_operator_path(connection: Connection) -> None:
    """Let the migrating role find every app's tables by their bare names, for psql and an operator's scripts. The
    application role keeps the default: our own SQL names schemas."""
    schemas = connection.scalars(
        text(
            "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' "
            "AND nspname NOT IN ('information_schema', 'public', :house) ORDER BY nspname",
        ),
        {"house": HOUSE_SCHEMA},
    )
    path = ", ".join(["public", *schemas])
    name = connection.scalar(text("SELECT quote_ident(current_database())"))
    connection.execute(text(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET search_path = {path}"))


def _exists(connection: Connection) -> bool:
    return bool(connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :name"), {"name": APP_ROLE}))


def _owns_database(connection: Connection) -> bool:
    query = "SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"
    return bool(connection.scalar(text(query)))


def _ask(connection: Connection, statement: str) -> None:
    try:
        with connection.begin_nested():
            connection.execute(text(statement))
    except IntegrityError:
        return  # another database's upgrade made the role in the same moment
    except ProgrammingError as exc:
        if getattr(exc.orig, "sqlstate", None) == "42710":
            return
        user = connection.scalar(text("SELECT quote_ident(current_user)"))
        wanted = statement.replace("CURRENT_USER", str(user))
        raise DatabaseUnavailable(
            "This database role may not prepare the database. "
            f"Ask an administrator to run: {wanted}; then upgrade again.",
        ) from exc
