"""Where the embedded server keeps what: one folder per data directory, one cluster per major version inside it.

    <data_dir>/postgres/            the home
        18/                         the cluster of PostgreSQL 18, owned by the account that runs the server
        run/                        its socket; only that account (and root) may enter
        clients.lock                shared lock of every Syncline process that uses the server
        start.lock                  exclusive while one of them starts it
        supervisor.lock             exclusive as long as the supervisor lives
        server.json                 where the running server is; absent while there is none
        postgres.log, supervisor.log
        MOVED                       instead of all of the above: the path of the home, see `_move_away`

PostgreSQL refuses to run as root. Started by root, the server runs as a system account of its own, which often cannot
enter root's folders (a checkout under /root or in a folder of `mktemp`). Then the home lies under
/var/lib/syncline-postgres.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.locks import is_locked

ACCOUNT = "syncline"
SYSTEM_DIR = Path("/var/lib/syncline-postgres")
_MOVED = "MOVED"
_OWNER = "OWNER"


@dataclass(frozen=True, slots=True)
class Account:
    """The system account that runs the server when root starts it."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one embedded server."""

    folder: Path

    @property
    def clients_lock(self) -> Path:
        return self.folder / "clients.lock"

    @property
    def start_lock(self) -> Path:
        return self.folder / "start.lock"

    @property
    def supervisor_lock(self) -> Path:
        return self.folder / "supervisor.lock"

    @property
    def state(self) -> Path:
        return self.folder / "server.json"

    @property
    def server_log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def supervisor_log(self) -> Path:
        return self.folder / "supervisor.log"

    def cluster(self, major: int) -> Path:
        return self.folder / str(major)

    def majors(self) -> list[int]:
        """Versions that have a cluster here, lowest first."""
        return sorted(int(entry.name) for entry in self.folder.glob("[0-9]*") if entry.name.isdecimal())

    def is_abandoned(self) -> bool:
        """Whether the data directory this home was moved away from is gone. A home in its data directory never is."""
        owner = _read_line(self.folder / _OWNER)
        if owner is None:
            return False
        base = Path(owner) / "postgres"
        return not base.exists() or _read_line(base / _MOVED) not in {None, str(self.folder)}


def open_home(data_dir: Path) -> Home:
    """The home of the server of `data_dir`, made when there is none yet.

    Raises `DatabaseUnavailable` when the folder belongs to somebody else or cannot be made.
    """
    base = data_dir.expanduser().resolve() / "postgres"
    try:
        base.mkdir(parents=True, exist_ok=True)
        owner = base.stat().st_uid
    except OSError as exc:
        sentence = (
            f"The data folder {data_dir} cannot be made or entered ({exc.strerror}); choose another with --data-dir."
        )
        raise DatabaseUnavailable(sentence) from exc
    if os.geteuid() not in {0, owner}:
        raise DatabaseUnavailable(
            f"The data folder {data_dir} belongs to the user {_user_name(owner)}; start Syncline as that user, "
            "or choose another folder with --data-dir.",
        )
    moved = _read_line(base / _MOVED)
    if moved is not None:
        return _moved_home(Path(moved), base)
    home = Home(base)
    if os.geteuid() != 0:
        base.chmod(0o700)
        return home
    if home.majors():
        return home
    base.chmod(0o711)  # the server's account passes through to its cluster
    return home if _can_enter(base, server_account(base) or system_account()) else _move_away(base)


def server_account(cluster: Path) -> Account | None:
    """Who runs the server of `cluster`: its owner, else our system account; None when we are not root, for then it is
    ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        owner = cluster.stat()
    except FileNotFoundError:
        return system_account()
    return Account(_user_name(owner.st_uid), owner.st_uid, owner.st_gid) if owner.st_uid else system_account()


def system_account() -> Account:
    """The account `syncline`, made when it does not exist. Needs root."""
    found = _find_account()
    if found:
        return found
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", ACCOUNT]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        reason = result.stderr.strip()
    except OSError as exc:
        reason = str(exc)
    found = _find_account()  # another process may have made it in the same moment
    if found is None:
        raise DatabaseUnavailable(
            "PostgreSQL does not run as root, and the system account for it could not be made "
            f"({reason}). Make a system user named {ACCOUNT}, run Syncline as an ordinary user, "
            "or set SYNCLINE_DATABASE_URL.",
        )
    return found


def runs_as(account: Account | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a short program as `account` (None: as ourselves), away from any folder it may not enter."""
    return subprocess.run(  # noqa: S603 - our own commands, no shell
        command,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        stdin=subprocess.DEVNULL,
    )


def _find_account() -> Account | None:
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _can_enter(folder: Path, account: Account) -> bool:
    # Tried rather than computed from mode bits: access lists and mount options count too.
    return runs_as(account, ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]).returncode == 0


def _read_line(path: Path) -> str | None:
    try:
        lines = path.read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return lines[0] if lines else None


def _moved_home(folder: Path, base: Path) -> Home:
    if not folder.is_dir():
        raise DatabaseUnavailable(
            f"The database of {base.parent} was kept in {folder}, which is gone. Put it back, "
            f"or remove {base / _MOVED} to begin with an empty database.",
        )
    return Home(folder)


def _move_away(base: Path) -> Home:
    """Make a home under /var/lib/syncline-postgres and leave a pointer to it in `base`.

    The name is random, so that a folder made anew at an old path (a fresh checkout) never finds the old data.
    """
    folder = SYSTEM_DIR / secrets.token_hex(6)
    try:
        SYSTEM_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
        _sweep()
        folder.mkdir()
        folder.chmod(0o711)
    except OSError as exc:
        raise DatabaseUnavailable(
            f"The server's account {ACCOUNT} cannot enter {base}, and {folder} cannot be made ({exc.strerror}). "
            "Choose a data folder that other users may pass through with --data-dir, or set SYNCLINE_DATABASE_URL.",
        ) from exc
    (folder / _OWNER).write_text(f"{base.parent}\n")
    pointer = base / f".{folder.name}"
    pointer.write_text(
        f"{folder}\n\nThe database of this folder is kept there, because the account {ACCOUNT}, which runs "
        "PostgreSQL when Syncline is started by root, may not pass through the folders above this one.\n",
    )
    try:
        os.link(pointer, base / _MOVED)  # unlike a rename this fails when another process was first
    except FileExistsError:
        shutil.rmtree(folder)
        folder = Path(_read_line(base / _MOVED) or folder)
    finally:
        pointer.unlink()
    return Home(folder)


def _sweep() -> None:
    """Remove moved homes whose data directory lay in a temporary folder and is gone. Others are kept: a data
    directory that cannot be seen may be a disk that is not mounted at the moment."""
    temporary = [Path(name).resolve() for name in {tempfile.gettempdir(), "/tmp", "/var/tmp"}]  # noqa: S108 - to compare
    for entry in SYSTEM_DIR.iterdir():
        owner = _read_line(entry / _OWNER)
        was_temporary = owner is not None and any(Path(owner).is_relative_to(folder) for folder in temporary)
        if was_temporary and Home(entry).is_abandoned() and not is_locked(entry / "supervisor.lock"):
            shutil.rmtree(entry, ignore_errors=True)
