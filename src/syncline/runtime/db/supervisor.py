"""The small process that holds PostgreSQL as its child: `python -m syncline.runtime.db.supervisor HOME PACKAGE`.

It lives in a session of its own, so that no terminal and no process group takes it along, and it lives only as long as
some Syncline process holds the shared lock on clients.lock. The kernel lets go of that lock at any death of its holder,
so after `kill -9` of every client nothing is left behind. When the supervisor itself is killed, the kernel tells
PostgreSQL to shut down. Imports the standard library and its neighbours only: it starts in about 30 ms.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from syncline.kernel.errors import DomainError
from syncline.runtime.db.binaries import find_binaries
from syncline.runtime.db.cluster import PORT, Cluster, last_words, private_folder, wait_until
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.layout import Account, Home, server_account
from syncline.runtime.db.locks import EXCLUSIVE, held, is_same_file, try_lock, wait_lock

GRACE_SECONDS = 1.0
_LOOK_SECONDS = 0.25
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
_SOCKET_NAME_BYTES = 107 if sys.platform.startswith("linux") else 103  # sun_path less its final zero
_LOG_BYTES = 10_000_000


@dataclass
class Supervisor:
    """One server from start to stop. `lock` is the descriptor that holds supervisor.lock."""

    home: Home
    cluster: Cluster
    socket_dir: Path
    lock: int
    _starts: list[float] = field(default_factory=list)

    def start(self, patience: float) -> subprocess.Popen[bytes]:
        """A server that accepts connections. After a crash its predecessor's processes may hold the shared memory for a
        moment, so a start that fails is tried again for `patience` seconds. Recovery may take as long as it needs."""
        deadline = time.monotonic() + patience
        while True:
            server = self.cluster.start(self.socket_dir, self.home.server_log)
            ready = wait_until(lambda: server.poll() is not None or self.cluster.status(server.pid) == "ready", 1e9)  # noqa: B023
            if ready and server.poll() is None:
                self._publish(server.pid)
                return server
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    f"PostgreSQL did not start: {last_words(self.home.server_log)} (log: {self.home.server_log})",
                )
            time.sleep(0.3)

    def watch(self, server: subprocess.Popen[bytes]) -> None:
        """Keep the server running until nobody uses it, we are told to stop, or its folder is gone."""
        idle_since: float | None = None
        while is_same_file(self.lock, self.home.supervisor_lock) and not self.home.is_abandoned():
            if server.poll() is not None:
                server = self._restart(server)
            free = try_lock(self.home.clients_lock, EXCLUSIVE)
            if free is None:
                idle_since = None
            else:
                idle_since = idle_since or time.monotonic()
                with held(free):  # while we stop, a client that comes waits for the lock, then starts anew
                    if time.monotonic() - idle_since >= GRACE_SECONDS:
                        self.stop(server)
                        return
            received = signal.sigtimedwait(_SIGNALS, _LOOK_SECONDS)
            if received is not None and received.si_signo in {signal.SIGTERM, signal.SIGINT}:
                break
        self.stop(server)

    def stop(self, server: subprocess.Popen[bytes]) -> None:
        """Fast shutdown: running transactions are rolled back, then a checkpoint."""
        self.home.state.unlink(missing_ok=True)
        for number, patience in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
            if server.poll() is not None:
                break
            server.send_signal(number)
            wait_until(lambda: server.poll() is not None, patience)
        shutil.rmtree(self.socket_dir, ignore_errors=True)

    def _restart(self, server: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        self.home.state.unlink(missing_ok=True)
        _note(f"PostgreSQL ended by itself ({server.returncode}); starting it again")
        now = time.monotonic()
        self._starts = [moment for moment in self._starts if now - moment < 60] + [now]
        if len(self._starts) > 5:
            raise DatabaseUnavailable(f"PostgreSQL ended again and again: {last_words(self.home.server_log)}")
        return self.start(patience=20)

    def _publish(self, pid: int) -> None:
        state = {
            "socket_dir": str(self.socket_dir),
            "bin_dir": str(self.cluster.binaries.folder),
            "version": self.cluster.binaries.version,
            "supervisor": os.getpid(),
            "postmaster": pid,
        }
        draft = self.home.state.with_suffix(".new")
        draft.write_text(json.dumps(state))
        _give_to_owner(draft, self.home)
        draft.replace(self.home.state)


def supervise(home: Home, package: Path, tell: Reporter) -> None:
    """Start the server, tell the waiting client, and watch."""
    with _only_one(home) as lock:
        home.state.unlink(missing_ok=True)
        account = _account(home)
        binaries = find_binaries(package, account)
        cluster = Cluster(home.cluster(binaries.major), binaries, account)
        left = _prepare(home, cluster)
        socket_dir = _socket_dir(home, account)
        supervisor = Supervisor(home, cluster, socket_dir, lock)
        server = supervisor.start(patience=20 if left else 0)
        tell({"ready": True})
        supervisor.watch(server)


class Reporter:
    """The one line that the client which started us waits for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def __call__(self, message: dict[str, object]) -> None:
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, json.dumps(message).encode())
        except BrokenPipeError:
            _note("the client that asked for the server is gone")  # others may be waiting: go on
        os.close(self._descriptor)
        self._descriptor = None


def main(arguments: list[str]) -> int:
    home, package = Home(Path(arguments[0])), Path(arguments[1])
    report = os.dup(1)
    os.dup2(2, 1)  # whatever is printed from here on goes to the log
    if os.fork():  # the client reaps this one at once; the supervisor belongs to init
        return 0
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.umask(0o077)
    tell = Reporter(report)
    try:
        supervise(home, package, tell)
    except (DomainError, OSError) as exc:
        _note(f"stopped: {exc}")
        tell({"error": exc.sentence if isinstance(exc, DomainError) else f"PostgreSQL could not be started: {exc}"})
        return 1
    return 0


@contextmanager
def _only_one(home: Home) -> Iterator[int]:
    # A client that looks whether we live holds the lock for an instant.
    lock = wait_lock(home.supervisor_lock, EXCLUSIVE, seconds=2)
    if lock is None:
        raise DatabaseUnavailable(f"Another supervisor already runs on {home.folder}.")
    _give_to_owner(home.supervisor_lock, home)
    with held(lock):
        yield lock


def _account(home: Home) -> Account | None:
    newest = home.majors()[-1:]
    return server_account(home.cluster(newest[0]) if newest else home.folder)


def _prepare(home: Home, cluster: Cluster) -> bool:
    """Make the cluster if this is the first start. Returns whether a server or its lock file had been left there."""
    if home.server_log.exists() and home.server_log.stat().st_size > _LOG_BYTES:
        home.server_log.replace(home.server_log.with_suffix(".log.1"))
    if cluster.exists():
        return cluster.stop_left_over()
    others = home.majors()
    if others:
        theirs, ours = others[-1], cluster.binaries.major
        raise DatabaseUnavailable(
            f"{home.folder} holds a database of PostgreSQL {theirs}, but this Syncline comes with PostgreSQL {ours}, "
            f"which cannot read it. Dump it with the Syncline that wrote it (`syncline db bin` has pg_dump), move "
            f"{home.cluster(theirs)} aside, start again and restore; or go back to that version.",
        )
    cluster.create()
    return False


def _socket_dir(home: Home, account: Account | None) -> Path:
    """Where the socket lies: beside the cluster, or under /tmp where that path is too long for the system, or holds a
    character that means something in an address (a comma parts hosts) or in a shell."""
    folder = home.folder / "run"
    name = os.fsencode(folder / f".s.PGSQL.{PORT}")
    if len(name) > _SOCKET_NAME_BYTES or not re.fullmatch(rb"[A-Za-z0-9._/-]+", name):
        folder = Path("/tmp") / f"syncline-{hashlib.sha256(os.fsencode(home.folder)).hexdigest()[:12]}"  # noqa: S108 - checked below to be ours alone
    try:
        private_folder(folder, account)
    except FileExistsError:
        found = folder.lstat()
        ours = {os.geteuid(), account.uid if account else os.geteuid()}
        if folder.is_symlink() or not folder.is_dir() or found.st_uid not in ours or found.st_mode & 0o077:
            raise DatabaseUnavailable(f"{folder} is in the way of the database's socket; remove it.") from None
    return folder


def _give_to_owner(path: Path, home: Home) -> None:
    """Files that root makes in a user's folder stay usable for that user."""
    if os.geteuid() == 0:
        owner = home.folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _note(text: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {os.getpid()} {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
