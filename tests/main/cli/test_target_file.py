from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from syncline.apps.commerce.contract import FileNotWritten
from syncline.main.cli import target_file as module
from syncline.main.cli.target_file import FileExists, target_file

WRITES_AND_WAITS = """
import sys
from pathlib import Path
from syncline.main.cli.target_file import target_file
with target_file(Path(sys.argv[1]), replaces=True) as file:
    file.write(b"x" * 100_000)
    file.flush()
    print("written", flush=True)
    sys.stdin.read()
"""


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["without a name", "with a name"])
def manner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of hiding an unfinished file: Linux's, and everybody else's."""
    named = {"with a name": lambda _: None}.get(request.param, module._open_unnamed)
    monkeypatch.setattr(module, "_open_unnamed", named)
    return str(request.param)


def test_a_file_is_there_at_the_end_and_not_before(manner: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with target_file(path, replaces=False) as file:
        file.write(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"
    assert names_in(tmp_path) == ["a.csv"]
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def _fail(file: BinaryIO) -> None:
    file.write(b"new")
    raise LookupError


def test_a_failure_leaves_what_was_there(manner: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")
    with pytest.raises(LookupError), target_file(path, replaces=True) as file:
        _fail(file)
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.csv"]
    with target_file(path, replaces=True) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_what_is_there_is_not_replaced_unasked(manner: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")
    with pytest.raises(FileExists, match="add --force"), target_file(path, replaces=False):
        pytest.fail("the block must not begin")
    with pytest.raises(FileExists, match="is no file"), target_file(tmp_path, replaces=True):
        pytest.fail("the block must not begin")


def test_a_file_that_somebody_makes_meanwhile_is_not_replaced(manner: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(FileExists), target_file(path, replaces=False):
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert names_in(tmp_path) == ["a.csv"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match="no such folder") as caught,
        target_file(tmp_path / "none" / "a.csv", replaces=False),
    ):
        pytest.fail("the block must not begin")
    assert caught.value.filename == str(tmp_path / "none")


def test_a_disk_that_is_full_at_the_end_is_a_sentence(
    manner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    path = tmp_path / "a.csv"
    with pytest.raises(FileNotWritten, match="No space left on device"), target_file(path, replaces=False) as file:
        file.write(b"x")
    assert names_in(tmp_path) == []


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has files without a name")
def test_a_kill_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    command = [sys.executable, "-c", WRITES_AND_WAITS, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"written\n"
        program.kill()
    assert names_in(tmp_path) == []
