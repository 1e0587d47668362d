"""Migrations: Alembic, one branch per app, all in one database.

Each app has a folder of revisions whose ids begin with its name (`commerce_0001`), and the first of them carries the
name as branch label. There is no alembic.ini and no env.py: the folders come from the list of apps, the address from
the settings. The version table is `syncline.version`. Every function blocks; call it in a thread from async code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg import Connection as DriverConnection
from sqlalchemy import Connection, Engine, MetaData, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from syncline.kernel.errors import InvalidInput
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.names import HOUSE_SCHEMA
from syncline.runtime.db.roles import prepare_roles, set_operator_path
from syncline.runtime.db.urls import normalise

_LOCK = 0x53594E43  # "SYNC", the number of the advisory lock
_VERSION_TABLE = "version"


@dataclass(frozen=True, slots=True)
class MigrationSource:
    """The revisions of one app (or of `runtime`)."""

    name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class BranchStatus:
    """Where one branch stands. `pending` are the revisions an upgrade would apply, in order."""

    name: str
    current: str | None
    head: str | None
    pending: tuple[str, ...]


def upgrade(url: str, sources: Sequence[MigrationSource], target: str = "heads") -> list[str]:
    """Bring every branch (or one: `commerce@head`, `commerce_0003`) up, and return the revisions applied.

    `url` is the operator's. Also makes the roles, and lets the operator's search path find every app's tables. Two
    processes that upgrade at once take turns. Each revision is a transaction of its own.
    """
    script = _script(sources)
    with _locked(url) as connection:
        prepare_roles(connection)
        connection.commit()
        applied = _run(connection, script, target, lambda current: script._upgrade_revs(target, current))  # type: ignore[arg-type]  # noqa: SLF001 - as alembic.command does
        set_operator_path(connection)
        connection.commit()
    return applied


def downgrade(url: str, sources: Sequence[MigrationSource], target: str) -> list[str]:
    """Undo down to `target` (`commerce@base`, `commerce@-1`, `base` for everything); returns the revisions undone."""
    script = _script(sources)
    with _locked(url) as connection:
        return _run(connection, script, target, lambda current: script._downgrade_revs(target, current))  # type: ignore[arg-type]  # noqa: SLF001 - as alembic.command does


def status(url: str, sources: Sequence[MigrationSource]) -> list[BranchStatus]:
    """Where each branch stands. Changes nothing, and works on an empty database."""
    revisions = list_revisions(url, sources)
    found = []
    for source in sources:
        own = [one for one in revisions if one.branch == source.name]
        done = [one.id for one in own if one.is_applied]
        pending = tuple(one.id for one in own if not one.is_applied)
        found.append(BranchStatus(source.name, done[-1] if done else None, own[-1].id if own else None, pending))
    return found


@dataclass(frozen=True, slots=True)
class Revision:
    """One migration. `down` is the one before it on its branch; None for the first."""

    id: str
    branch: str
    title: str
    down: str | None
    is_applied: bool


def list_revisions(url: str, sources: Sequence[MigrationSource]) -> list[Revision]:
    """All there are, branch by branch in the order of `sources`, the oldest first. Changes nothing."""
    script = _script(sources)
    with _connected(url) as connection:
        heads = _context(connection).get_current_heads()
    applied = {revision.revision for head in heads for revision in script.iterate_revisions(head, "base")}
    order = {source.name: number for number, source in enumerate(sources)}
    found = [
        Revision(
            id=entry.revision,
            branch=_branch(entry.revision),
            title=(entry.doc or "").partition("\n")[0],
            down=entry.down_revision if isinstance(entry.down_revision, str) else None,
            is_applied=entry.revision in applied,
        )
        for entry in script.walk_revisions()
    ]
    return sorted(found, key=lambda one: (order[one.branch], one.id))


def differences(url: str, metadata: Sequence[MetaData]) -> list[str]:
    """What the declared tables have and the migrated database has not, or the reverse; empty when they agree."""
    found: list[str] = []
    with _connected(url) as connection:
        for declared in metadata:
            schema = declared.schema
            context = _context(
                connection,
                include_schemas=True,
                include_name=lambda name, kind, _, schema=schema: kind != "schema" or name == schema,
                compare_type=True,
            )
            found.extend(map(str, compare_metadata(context, declared)))
    return found


def make_revision(
    source: MigrationSource, sources: Sequence[MigrationSource], message: str, *, kind: str = "pre"
) -> Path:
    """Write an empty revision on the app's branch and return its path.

    `kind` is `pre` (applied before the new code is deployed: additions) or `post` (after: removals, stricter rules).
    """
    if kind not in {"pre", "post"}:
        raise InvalidInput(f"A migration is 'pre' or 'post', not {kind!r}.")
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:50]
    if not slug:
        raise InvalidInput("A migration needs a message of a few words; its file is named after it.")
    script = _script([*sources, source] if source not in sources else sources)
    own = [entry.revision for entry in script.walk_revisions() if _branch(entry.revision) == source.name]
    number = len(own) + 1
    path = source.folder / f"{kind}_{number:04}_{slug}.py"
    path.write_text(
        _TEMPLATE.format(
            message=message.strip().rstrip("."),
            revision=f"{source.name}_{number:04}",
            down=f'"{own[0]}"' if own else "None",
            labels="None" if own else f'("{source.name}",)',
        ),
    )
    return path


_TEMPLATE = '''"""{message}."""

from __future__ import annotations

from alembic import op

revision = "{revision}"
down_revision = {down}
branch_labels = {labels}
depends_on = None


def upgrade() -> None:
    op.execute("")


def downgrade() -> None:
    op.execute("")
'''


def _script(sources: Sequence[MigrationSource]) -> ScriptDirectory:
    names = [source.name for source in sources]
    folders = [source.folder for source in sources]
    script = ScriptDirectory(folders[0], version_locations=folders)
    for entry in script.walk_revisions():
        if _branch(entry.revision) not in names:
            msg = f"{entry.path}: the revision id {entry.revision} must begin with its app's name, like {names[0]}_0001"
            raise ValueError(msg)
    return script


def _branch(revision: str) -> str:
    return revision.rpartition("_")[0]


def _run(
    connection: Connection, script: ScriptDirectory, target: str, steps: Callable[[tuple[str, ...]], list[Any]]
) -> list[str]:
    done: list[str] = []

    def plan(current: tuple[str, ...], _: MigrationContext) -> list[Any]:
        found = steps(current)
        done.extend(step.revision.revision for step in found)
        return found

    with EnvironmentContext(Config(), script, fn=plan) as environment:
        environment.configure(
            connection=connection,
            version_table=_VERSION_TABLE,
            version_table_schema=HOUSE_SCHEMA,
            transaction_per_migration=True,
        )
        try:
            with environment.begin_transaction():
                environment.run_migrations()
        except CommandError as exc:
            raise InvalidInput(f"There is no migration {target!r}: {exc}. See `syncline db status`.") from exc
    return done


def _context(connection: Connection, **options: Any) -> MigrationContext:
    options |= {"version_table": _VERSION_TABLE, "version_table_schema": HOUSE_SCHEMA}
    return MigrationContext.configure(connection, opts=options)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as exc:
        if exc.connection_invalidated or not exc.statement:
            raise DatabaseUnavailable(f"The database cannot be reached: {' '.join(str(exc.orig).split())}") from exc
        raise
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    conninfo = normalise(url)
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: DriverConnection.connect(conninfo, application_name="syncline migrations"),
        poolclass=NullPool,
    )


@contextmanager
def _locked(url: str) -> Iterator[Connection]:
    """A connection that holds the advisory lock. A migration that cannot lock its table in half a minute fails rather
    than keep everybody else waiting behind it."""
    with _connected(url) as connection:
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _LOCK})
        connection.execute(text("SET lock_timeout = '30s'"))
        connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _LOCK})
            connection.commit()
