"""Fixtures for every test: a database made by the migrations, a tenant, and no network."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import psycopg
import pytest
from hypothesis import HealthCheck
from psycopg.sql import SQL, Identifier

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.migrate import MigrationSource, upgrade
from syncline.runtime.db.server import ServerHandle, ensure_server
from syncline.runtime.db.session import WriteSession
from syncline.runtime.db.settings import DatabaseSettings

_TEMPLATE = "template_syncline"
_SERVER_FOLDER = "syncline-test-"
_MEMORY = Path("/dev/shm")
_SPARE_BYTES = 3 << 30
_CARELESS = ("fsync = off", "full_page_writes = off", "synchronous_commit = off", "max_wal_size = '256MB'")


def pytest_configure() -> None:
    """Who starts this in the background has Ctrl-C ignored, and every process the tests start would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # That an example took long is the machine's doing when other work runs beside.
    hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis.settings.load_profile("patient")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _sweep()


def pytest_collection_finish() -> None:
    """Whatever was imported stays: a collection of garbage that went through all of it would take a third of a second,
    in the middle of some test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _network_off() -> Iterator[None]:
    """Connecting anywhere but to this machine fails, and so does looking up a name."""
    patch = pytest.MonkeyPatch()
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse_strangers(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_strangers(self.family, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_strangers(socket.AF_INET, (host,))
        return getaddrinfo(host, *args, **kwargs)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield
    patch.undo()


def _refuse_strangers(family: int, address: Any) -> None:
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return
    host = address[0].decode() if isinstance(address[0], bytes) else address[0]
    if host in {None, "", "localhost"} or _is_loopback(host):
        return
    msg = f"a test reached for the network: {host}"
    raise RuntimeError(msg)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session")
def server() -> Iterator[ServerHandle]:
    """The embedded server of this test run, one for all workers of pytest-xdist."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", new_id().hex)
    # Not under pytest's own folder: that is closed to the server's account when root runs the tests.
    folder = _server_root() / f"{_SERVER_FOLDER}{run}"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    users = (folder / "users").open("ab")
    fcntl.flock(users, fcntl.LOCK_SH)
    handle = ensure_server(folder)
    with _operator(handle) as connection:
        # A test database need not survive a power cut. What must survive is tested in tests/runtime/db.
        for setting in _CARELESS:
            connection.execute(SQL("ALTER SYSTEM SET {}").format(SQL(setting)))
        connection.execute("SELECT pg_reload_conf()")
    yield handle
    handle.close()
    fcntl.flock(users, fcntl.LOCK_UN)
    if _is_last_user(users.fileno()):
        with suppress(psutil.NoSuchProcess):
            psutil.Process(handle.supervisor_pid).wait(timeout=60)
        shutil.rmtree(folder)
    users.close()


def _server_root() -> Path:
    """Memory, where the machine has it to spare: a database is there in a fifth of the time that a disk takes."""
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK):
        left = os.statvfs(_MEMORY)
        if left.f_bavail * left.f_frsize > _SPARE_BYTES:
            return _MEMORY
    return Path(tempfile.gettempdir())


def _is_last_user(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sweep() -> None:
    """Remove what the servers of runs that were killed left behind: nobody holds their lock. A run that begins just now
    may not hold it yet."""
    for folder in (*_MEMORY.glob(f"{_SERVER_FOLDER}*"), *Path(tempfile.gettempdir()).glob(f"{_SERVER_FOLDER}*")):
        with suppress(OSError):  # another user's, or another run was first
            if time.time() - folder.stat().st_mtime > 60:
                with (folder / "users").open("ab") as users:
                    if _is_last_user(users.fileno()):
                        shutil.rmtree(folder)


@dataclass(frozen=True)
class Databases:
    """Makes and drops databases on the test run's server."""

    server: ServerHandle
    _left: list[str] = field(default_factory=list)

    def create(self, name: str, template: str) -> DatabaseSettings:
        with _operator(self.server) as connection:
            self._drop_left(connection)
            query = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
            connection.execute(query.format(Identifier(name), Identifier(template)))
        return self.settings(name)

    def drop(self, name: str) -> None:
        """When the next one is made: right after a test its connections are still going, and the server would wait."""
        self._left.append(name)

    def _drop_left(self, connection: psycopg.Connection) -> None:
        while self._left:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(self._left.pop())))

    def settings(self, name: str) -> DatabaseSettings:
        app, operator = self.server.url("app", name), self.server.url("operator", name)
        return DatabaseSettings(url=app, admin_url=operator, data_dir=self.server.home, pool_min=0)


@pytest.fixture(scope="session")
def databases(server: ServerHandle) -> Databases:
    return Databases(server)


@pytest.fixture(scope="session")
def template(databases: Databases) -> str:
    """The name of an empty database with every migration applied, to make others from."""
    server = databases.server
    with (server.home / "template.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of pytest-xdist share it
        with _operator(server) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (_TEMPLATE,)).fetchone()
            if found is None:
                connection.execute("DROP DATABASE IF EXISTS template_in_making")
                databases.create("template_in_making", "template0")
                upgrade(server.url("operator", "template_in_making"), _sources())
                connection.execute(f"ALTER DATABASE template_in_making RENAME TO {_TEMPLATE}")
    return _TEMPLATE


def _sources() -> list[MigrationSource]:
    # Here and not at the top: tests of the kernel and of connectors need no app to be importable.
    from syncline.main.targets import migration_sources

    return list(migration_sources())


def _operator(server: ServerHandle) -> psycopg.Connection:
    return psycopg.connect(server.url("operator", "postgres"), autocommit=True)


@pytest.fixture
def database_settings(databases: Databases, template: str) -> Iterator[DatabaseSettings]:
    """A fresh database with every migration applied, for tests that commit or open connections of their own."""
    name = f"test_{new_id().hex}"
    yield databases.create(name, template)
    databases.drop(name)


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    """The same, opened as the application role."""
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def shared_database(databases: Databases, template: str) -> AsyncIterator[Database]:
    """One database for all tests of a worker that roll back."""
    name = f"shared_{new_id().hex}"
    opened = await Database.open(databases.create(name, template))
    yield opened
    await opened.close()
    databases.drop(name)


@pytest.fixture
def tenant_id() -> TenantId:
    return TenantId(new_id())


@pytest.fixture
def other_tenant_id() -> TenantId:
    return TenantId(new_id())


class _Undo(Exception):
    """Leaves a block without committing."""


@pytest.fixture
async def session(shared_database: Database, tenant_id: TenantId) -> AsyncIterator[WriteSession]:
    """A transaction of `tenant_id` that is rolled back after the test."""
    with suppress(_Undo):
        async with shared_database.writing(tenant_id) as opened:
            yield opened
            raise _Undo
