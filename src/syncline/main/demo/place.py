"""A data directory of the demo's own: one running demo in each, its database empty at each start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from syncline.kernel.errors import Conflict, InvalidInput
from syncline.runtime.db.locks import EXCLUSIVE, held, try_lock

FOLDER = ".syncline-demo"
_LOCK = "demo.lock"
_MOST = 9
_KEPT_SETTINGS = ("SYNCLINE_LOG_", "SYNCLINE_CACHE_DIR")


class DemoRunsAlready(Conflict):
    code = "DEMO_001"
    title = "A demo is running in this folder"


class NotADemosFolder(InvalidInput):
    code = "DEMO_002"
    title = "The folder holds something else"


@contextmanager
def held_place(asked: Path | None) -> Iterator[Path]:
    """The data directory, ours until the block ends: `asked`, or the first in the current folder that no running demo
    holds. Raises `DemoRunsAlready` and `NotADemosFolder`."""
    folder, lock = _claim_asked(asked) if asked is not None else _claim_first()
    with held(lock):
        yield folder


def _claim_asked(asked: Path) -> tuple[Path, int]:
    folder = asked.expanduser().absolute()
    lock = _claim(folder)
    if lock is None:
        raise DemoRunsAlready(f"A demo is running in {folder}. Stop it, or choose another folder with --data-dir.")
    return folder, lock


def _claim_first() -> tuple[Path, int]:
    for number in range(1, _MOST + 1):
        folder = Path.cwd() / (FOLDER if number == 1 else f"{FOLDER}-{number}")
        lock = _claim(folder)
        if lock is not None:
            return folder, lock
    raise DemoRunsAlready(f"{_MOST} demos are running here already. Stop one, or choose a folder with --data-dir.")


def _claim(folder: Path) -> int | None:
    # The lock file is also the mark that all in here was made by a demo and may be emptied by the next.
    if folder.is_dir() and not (folder / _LOCK).exists() and any(folder.iterdir()):
        raise NotADemosFolder(
            f"{folder} holds something that no demo made, and a demo begins with an empty database. "
            "Choose a new folder with --data-dir."
        )
    folder.mkdir(parents=True, exist_ok=True)
    return try_lock(folder / _LOCK, EXCLUSIVE)


def forget_settings() -> None:
    """The demo runs on its defaults: settings of this shell are meant for another installation, and its database above
    all must not be the one that is emptied."""
    for name in [name for name in os.environ if name.startswith("SYNCLINE_")]:
        if not name.startswith(_KEPT_SETTINGS):
            del os.environ[name]


def empty_database(operator_url: str) -> None:
    """Remove every schema, whichever version of Syncline made it; the next upgrade begins anew. Blocks."""
    with psycopg.connect(operator_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        found = connection.execute(
            "SELECT nspname FROM pg_namespace"
            " WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'public')"
        )
        for (name,) in found.fetchall():
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))
