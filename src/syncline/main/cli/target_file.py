"""A file that is there whole or not at all: written out of sight, given its name at the end."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from syncline.apps.commerce.contract import FileNotWritten
from syncline.kernel.errors import Conflict

# A file system that knows no files without a name says one of these.
_NOT_KNOWN = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}


class FileExists(Conflict):
    code = "CLI_002"
    title = "The file is there already"


@contextmanager
def target_file(path: Path, *, replaces: bool) -> Iterator[BinaryIO]:
    """A file to write to, which becomes `path` at a clean end of the block. Otherwise nothing is left: on Linux not
    even after a kill, as the file has no name until then; elsewhere a kill may leave one that ends in `.part`.

    Raises `FileExists` at once, or at the end when somebody else made it meanwhile, unless it `replaces`; `OSError`
    with the file's name when it cannot be written there.
    """
    if path.exists() and (not replaces or not path.is_file()):
        raise FileExists(_taken(path) if path.is_file() else f"{path} is there and is no file; choose another name.")
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "There is no such folder", str(path.parent))
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    unnamed = _open_unnamed(path.parent)
    file = unnamed if unnamed is not None else part.open("xb")
    try:
        yield file
        _settle(file, path)
        if unnamed is not None:
            _name_first(file, part)
        _name(part, path, replaces=replaces)
    finally:
        with suppress(OSError):  # a full disk takes what is still held no better the second time
            file.close()
        part.unlink(missing_ok=True)


def _settle(file: BinaryIO, path: Path) -> None:
    """All of it on the disk, before it has its name."""
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise FileNotWritten(f"{path} could not be written: {error.strerror}. Free some room.") from error


def _taken(path: Path) -> str:
    return f"{path} is there already; add --force to replace it."


def _open_unnamed(folder: Path) -> BinaryIO | None:
    if sys.platform != "linux" or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666), "w+b")
    except OSError as error:
        if error.errno in _NOT_KNOWN:
            return None
        raise OSError(error.errno, os.strerror(error.errno or 0), str(folder)) from error


def _name_first(file: BinaryIO, part: Path) -> None:
    """A first name for a file without one, as open(2) says under O_TMPFILE. Where that is not allowed, a copy."""
    try:
        # With a folder to start from Python calls linkat, which goes through the link that /proc shows.
        os.link(f"/proc/self/fd/{file.fileno()}", part, src_dir_fd=file.fileno(), follow_symlinks=True)
    except OSError:
        file.seek(0)
        with part.open("xb") as copy:
            shutil.copyfileobj(file, copy)


def _name(part: Path, path: Path, *, replaces: bool) -> None:
    if replaces:
        part.replace(path)
        return
    try:
        os.link(part, path)
    except FileExistsError as error:
        raise FileExists(_taken(path)) from error
    except OSError:
        # A file system without hard links; between the look and the renaming there is a moment.
        if path.exists():
            raise FileExists(_taken(path)) from None
        part.rename(path)


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Standard output as bytes. A reader that has had enough (`| head`) is no failure of ours."""
    sys.stdout.flush()
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # What Python still holds must not fail a second time at its end.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
