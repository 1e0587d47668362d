"""File locks that the kernel lets go when their holder dies, also by `kill -9`.

`flock` locks belong to the open file, not to the process: they are close-on-exec here, so a program we start never
keeps one, and a forked copy must close its own (see `server.ServerHandle`).
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX
_POLL_SECONDS = 0.02


def try_lock(path: Path, kind: int) -> int | None:
    """A file descriptor that holds the lock, or None when somebody else's lock forbids it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if not is_same_file(descriptor, path):
        os.close(descriptor)  # the folder was removed and made again meanwhile: this lock guards nothing
        return None
    return descriptor


def wait_lock(path: Path, kind: int, *, seconds: float, prepare: Callable[[], object] = lambda: None) -> int | None:
    """Like `try_lock`, trying for `seconds`. `prepare` runs before each try."""
    deadline = time.monotonic() + seconds
    while True:
        prepare()
        descriptor = try_lock(path, kind)
        if descriptor is not None or time.monotonic() > deadline:
            return descriptor
        time.sleep(_POLL_SECONDS)


def is_locked(path: Path) -> bool:
    """Whether somebody holds `path` exclusively."""
    descriptor = try_lock(path, SHARED)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def is_same_file(descriptor: int, path: Path) -> bool:
    """Whether `path` still names the file that is open as `descriptor`."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


@contextmanager
def held(descriptor: int) -> Iterator[None]:
    """Lets go of the lock at the end of the block."""
    try:
        yield
    finally:
        os.close(descriptor)
