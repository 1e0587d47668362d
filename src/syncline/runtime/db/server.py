"""Syncline's own PostgreSQL, as its clients see it: attach to the one that runs on a data directory, or start it.

Many processes share one server. It stops about a second after the last of them is gone, whichever way it went.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import syncline
from syncline.runtime.db.binaries import find_package
from syncline.runtime.db.cluster import PORT
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.layout import Home, open_home
from syncline.runtime.db.locks import EXCLUSIVE, SHARED, held, is_locked, wait_lock
from syncline.runtime.db.names import APP_ROLE, DATABASE, OPERATOR

Role = Literal["app", "operator"]
_USERS: dict[Role, str] = {"app": APP_ROLE, "operator": OPERATOR}
_START_SECONDS = 300.0  # recovery after a crash replays at most max_wal_size


@dataclass(frozen=True, slots=True)
class _State:
    socket_dir: Path
    bin_dir: Path
    version: str
    supervisor: int
    postmaster: int


class ServerHandle:
    """The server is kept for us until `close`, or until this process ends in any way.

    A child made by fork closes its copy at once, and a started program never gets one: children keep no server alive.
    """

    def __init__(self, home: Home, state: _State, lock: int) -> None:
        self.home = home.folder
        self.socket_dir = state.socket_dir
        self.bin_dir = state.bin_dir
        self.version = state.version
        self.supervisor_pid = state.supervisor
        self.postmaster_pid = state.postmaster
        self._lock: int | None = lock
        _handles.add(self)

    def url(self, role: Role = "app", database: str = DATABASE) -> str:
        """A libpq URL, which psql, pg_dump and `Database` take alike."""
        return f"postgresql://{_USERS[role]}@/{database}?host={quote(str(self.socket_dir))}&port={PORT}"

    def close(self) -> None:
        """Let go of the server. Closing twice is harmless."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def __del__(self) -> None:
        self.close()


_handles: weakref.WeakSet[ServerHandle] = weakref.WeakSet()


def _close_all() -> None:
    for handle in list(_handles):
        handle.close()


os.register_at_fork(after_in_child=_close_all)


def ensure_server(data_dir: Path) -> ServerHandle:
    """Attach to the server of `data_dir`, or start it: about 1 s the first time, 0.2 s later, a few ms when it runs.

    Blocks; call it in a thread where an event loop runs. Raises `DatabaseUnavailable` with what to do.
    """
    package = find_package(sys.path)
    home = open_home(data_dir)
    lock = _become_client(home, data_dir)
    try:
        state = _attach(home) or _attach_or_start(home, package)
    except BaseException:
        os.close(lock)
        raise
    return ServerHandle(home, state, lock)


def _become_client(home: Home, data_dir: Path) -> int:
    # The lock is refused while a supervisor that found itself unused stops its server.
    try:
        lock = wait_lock(home.clients_lock, SHARED, seconds=90, prepare=lambda: open_home(data_dir))
    except PermissionError as exc:
        raise DatabaseUnavailable(f"{exc.filename} belongs to another user; start Syncline as that user.") from exc
    if lock is None:
        raise DatabaseUnavailable(f"The previous server on {home.folder} is still stopping; try again in a minute.")
    return lock


def _attach_or_start(home: Home, package: Path) -> _State:
    start = wait_lock(home.start_lock, EXCLUSIVE, seconds=_START_SECONDS)
    if start is None:
        raise DatabaseUnavailable(
            f"Another process has been starting the server on {home.folder} for minutes; see {home.server_log}."
        )
    with held(start):
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not is_locked(home.supervisor_lock):
                _launch(home, package)
            state = _attach(home)
            if state:
                return state
            time.sleep(0.02)  # the supervisor is restarting its server, or its starter was killed
    raise DatabaseUnavailable(f"PostgreSQL is still recovering after {_START_SECONDS:.0f} s; see {home.server_log}.")


def _attach(home: Home) -> _State | None:
    """Where the server is, if a supervisor lives and its server is ready."""
    try:
        told = json.loads(home.state.read_text())
    except FileNotFoundError:
        return None
    if not is_locked(home.supervisor_lock):
        return None
    return _State(
        Path(told["socket_dir"]),
        Path(told["bin_dir"]),
        told["version"],
        told["supervisor"],
        told["postmaster"],
    )


def _launch(home: Home, package: Path) -> None:
    """Start the supervisor and wait until its server accepts connections."""
    root = str(Path(syncline.__file__).parent.parent)
    # -S and -P: no site packages and no current folder, so nothing but our own files is imported.
    command = [sys.executable, "-S", "-P", "-m", "syncline.runtime.db.supervisor", str(home.folder), str(package)]
    with home.supervisor_log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env=os.environ | {"PYTHONPATH": root, "PYTHONUTF8": "1"},
            start_new_session=True,
        )
    with process:
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        answer = process.stdout.readline() if readable else b""
    told = json.loads(answer) if answer else {}
    if "error" in told:
        raise DatabaseUnavailable(told["error"])
    if not told:
        raise DatabaseUnavailable(f"The database's supervisor did not start; see {home.supervisor_log}.")
