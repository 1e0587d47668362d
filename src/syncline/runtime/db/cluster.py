"""One PostgreSQL cluster on disk: make it, start it, find a server that was left on it."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from syncline.runtime.db.binaries import Binaries
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.layout import Account
from syncline.runtime.db.names import APP_ROLE, DATABASE, OPERATOR

PORT = 5432  # only part of the socket's name: the server listens on no network

# Fit for a machine of 2 cores and 2 GB that does other work too; written to postgresql.conf once, where an operator may
# change them. Durability stays as PostgreSQL ships it (fsync and synchronous_commit on).
_TUNING = {
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # our queries are short; compiling them costs more than it saves
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # a failed statement holds people's data: the log must not
    "log_error_verbosity": "terse",  # so do the details of a broken constraint
}
_BOOTSTRAP = f"""
CREATE ROLE {APP_ROLE} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
CREATE DATABASE {DATABASE} OWNER {OPERATOR};
REVOKE CONNECT ON DATABASE {DATABASE} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {APP_ROLE};
"""
_LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster in `folder`, run by `account` (None: by ourselves)."""

    folder: Path
    binaries: Binaries
    account: Account | None

    def exists(self) -> bool:
        return (self.folder / "PG_VERSION").exists()

    def create(self) -> None:
        """Make the cluster with its roles and database; it appears under its name only when complete."""
        making = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(making, ignore_errors=True)
        private_folder(making, self.account)
        command = [self.binaries.program("initdb"), "-D", str(making), "-U", OPERATOR, "-E", "UTF8", "--locale=C"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions"]
        command += ["--auth-local=trust", "--auth-host=reject"]  # the socket's folder decides who may connect
        command += [word for name, value in _TUNING.items() for word in ("-c", f"{name}={value}")]
        self._run(command)
        self._run([self.binaries.program("postgres"), "--single", "-D", str(making), "postgres"], feed=_BOOTSTRAP)
        self._run([self.binaries.program("initdb"), "--sync-only", "-D", str(making)])
        making.rename(self.folder)

    def start(self, socket_dir: Path, log: Path) -> subprocess.Popen[bytes]:
        """Start the server as a child that dies with the calling thread's process, however that ends."""
        command = [self.binaries.program("postgres"), "-D", str(self.folder)]
        for name, value in {
            "listen_addresses": "",
            "unix_socket_directories": '"' + str(socket_dir).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "port": str(PORT),
        }.items():
            command += ["-c", f"{name}={value}"]
        user, group, groups = self._identity()
        with log.open("ab") as sink:
            return subprocess.Popen(  # noqa: S603 - our own command, no shell
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=_environment(),
                user=user,
                group=group,
                extra_groups=groups,
                # Runs after the change of user, which would clear the setting.
                preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 - the supervisor has one thread
            )

    def status(self, pid: int) -> str:
        """What the server `pid` says of itself in postmaster.pid: `starting`, `ready`, `stopping`; empty if nothing."""
        lines = self._pid_file_lines()
        return lines[7].strip() if len(lines) > 7 and lines[0].strip() == str(pid) else ""

    def stop_left_over(self) -> bool:
        """Stop a server whose supervisor was killed; remove a postmaster.pid that names a stranger's process.
        Returns whether anything had been left. Call only while holding the supervisor's lock."""
        lines = self._pid_file_lines()
        if not lines:
            return False
        pid = int(lines[0])
        for number, patience in ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if not self._serves(pid):
                break
            os.kill(pid, number)
            wait_until(lambda: not self._serves(pid), patience)
        # PostgreSQL takes any live process of this number for a server: after a reboot it may be anybody.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        return True

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _serves(self, pid: int) -> bool:
        """Whether `pid` is a live server on this very folder."""
        if _LINUX:
            try:
                return Path(f"/proc/{pid}/cwd").resolve(strict=True) == self.folder.resolve()
            except OSError:
                return False
        shown = subprocess.run(  # noqa: S603 - fixed words and a number
            ["/bin/ps", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return f"-D {self.folder}" in shown.stdout

    def _identity(self) -> tuple[int | None, int | None, list[int] | None]:
        return (self.account.uid, self.account.gid, []) if self.account else (None, None, None)

    def _run(self, command: list[str], feed: str = "") -> None:
        user, group, groups = self._identity()
        result = subprocess.run(  # noqa: S603 - our own command, no shell
            command,
            cwd="/",
            input=feed,
            capture_output=True,
            text=True,
            check=False,
            env=_environment(),
            user=user,
            group=group,
            extra_groups=groups,
        )
        problems = [
            line for line in result.stderr.splitlines() if "FATAL" in line or "ERROR" in line or "error" in line
        ]
        if result.returncode or (feed and problems):
            reason = (problems or result.stderr.splitlines() or ["no message"])[-1]
            raise DatabaseUnavailable(f"The database folder {self.folder} could not be made: {reason.strip()}")


def private_folder(folder: Path, account: Account | None) -> None:
    """Make `folder` for the server's account alone."""
    folder.mkdir(mode=0o700)
    if account:
        os.chown(folder, account.uid, account.gid)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def last_words(log: Path) -> str:
    """The last line of a server's log that tells why it stopped."""
    with log.open("rb") as source:
        source.seek(max(0, log.stat().st_size - 8192))
        lines = source.read().decode(errors="replace").splitlines()
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line] or lines
    return telling[-1].split("  ", 1)[-1] if telling else "it left no message"


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and the like of the user's shell are meant for other servers.
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _die_with_parent(parent: int) -> Callable[[], None]:
    """What the child does before it becomes PostgreSQL: ask the kernel for SIGINT (fast shutdown) when its parent
    dies. macOS has no such request: there, a server whose supervisor was killed is stopped by the next start."""
    library = ctypes.CDLL(None, use_errno=True) if _LINUX else None

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if library is not None and library.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0) != 0:
            os._exit(126)
        if os.getppid() != parent:  # it died before the request
            os._exit(127)

    return prepare
