"""Programs that use an embedded server from other processes, and a data directory for them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from syncline.kernel.ids import new_id
from syncline.runtime.db.engine import Database
from syncline.runtime.db.migrate import MigrationSource, upgrade
from syncline.runtime.db.settings import DatabaseSettings


def _processes_of(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        line = " ".join(process.info["cmdline"] or [])
        is_supervisor = "runtime.db.supervisor" in line and str(folder) in line
        if is_supervisor or (process.info["cwd"] or "").startswith(str(folder)):
            found.append(process)
    return found


def _wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


@pytest.fixture
def processes_of() -> Callable[[Path], list[psutil.Process]]:
    """Supervisors and PostgreSQL processes that work on a folder."""
    return _processes_of


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """`wait_until(condition, seconds)` fails the test when the condition does not come true in time."""
    return _wait_until


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that the server's account may pass through, gone afterwards with the server that used it."""
    folder = Path(tempfile.mkdtemp(prefix="syncline-db-"))
    folder.chmod(0o755)
    yield folder
    _wait_until(lambda: not _processes_of(folder))
    shutil.rmtree(folder)


@pytest.fixture
def program() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `python -c code argument...` with pipes; whatever still runs is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


_TOY = '''
from alembic import op
from syncline.runtime.db.isolation import create_schema, drop_schema, isolate_tenant, store_wide

revision = "toy_0001"
down_revision = None
branch_labels = ("toy",)
depends_on = None


def upgrade() -> None:
    create_schema("toy")
    op.execute("""
        CREATE TABLE toy.thing (
            tenant_id uuid NOT NULL, id bigint, name text, price numeric, tags text[], details jsonb, raw json,
            seen timestamptz, code uuid, digest bytea, is_sold boolean, amount integer, body text, version bigint,
            PRIMARY KEY (tenant_id, id)
        )
    """)
    isolate_tenant("toy.thing")
    store_wide("toy.thing", "body")


def downgrade() -> None:
    op.execute("DROP TABLE toy.thing")
    drop_schema("toy")
'''


@pytest.fixture
def toy(tmp_path: Path) -> MigrationSource:
    """An app with one tenant table, `toy.thing`."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "pre_0001_thing.py").write_text(_TOY)
    return MigrationSource("toy", folder)


@pytest.fixture
def toy_settings(databases: Any, toy: MigrationSource) -> Iterator[DatabaseSettings]:
    """A fresh database with the toy app alone."""
    name = f"toy_{new_id().hex}"
    settings = databases.create(name, "template0")
    upgrade(settings.admin_url, [toy])
    yield settings
    databases.drop(name)


@pytest.fixture
async def toy_database(toy_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(toy_settings)
    yield opened
    await opened.close()


@pytest.fixture
def external_role(toy_settings: DatabaseSettings) -> Iterator[Callable[..., str]]:
    """`external_role("LOGIN", "GRANT ... TO {role}")` makes a role in the toy database and returns its address."""
    made: list[str] = []

    def make(attributes: str, *grants: str) -> str:
        name = f"role_{new_id().hex}"
        with psycopg.connect(str(toy_settings.admin_url), autocommit=True) as connection:
            for statement in (f"CREATE ROLE {name} {attributes}", "GRANT ALL ON DATABASE {db} TO {role}", *grants):
                filled = statement.replace("{role}", name).replace("{db}", connection.info.dbname)
                connection.execute(filled.encode())
        made.append(name)
        return str(toy_settings.admin_url).replace("syncline@", f"{name}@", 1)

    yield make
    with psycopg.connect(str(toy_settings.admin_url), autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP OWNED BY {name} CASCADE".encode())
            connection.execute(f"DROP ROLE {name}".encode())
