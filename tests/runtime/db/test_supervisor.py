"""What happens to the embedded server when somebody is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from syncline.runtime.db.layout import Home
from syncline.runtime.db.server import ServerHandle, ensure_server

pytestmark = pytest.mark.process

Program = Callable[..., "subprocess.Popen[str]"]

HOLD = """
import sys
from pathlib import Path
from syncline.runtime.db.server import ensure_server
server = ensure_server(Path(sys.argv[1]))
print(server.postmaster_pid, server.supervisor_pid, flush=True)
sys.stdin.read()
"""


def none_lives(*pids: int) -> bool:
    return not any(map(_is_alive, pids))


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


# Inserts one row per transaction and prints its number once it is committed.
INSERT = """
import sys
from pathlib import Path
import psycopg
from syncline.runtime.db.server import ensure_server
server = ensure_server(Path(sys.argv[1]))
with psycopg.connect(server.url("operator"), autocommit=True) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS row (id bigserial PRIMARY KEY)")
    while True:
        print(connection.execute("INSERT INTO row DEFAULT VALUES RETURNING id").fetchone()[0], flush=True)
"""


def pids(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Postmaster and supervisor, as `HOLD` prints them."""
    assert process.stdout is not None
    postmaster, supervisor = process.stdout.readline().split()
    return int(postmaster), int(supervisor)


def test_nothing_is_left_after_kill_9_of_every_client(
    data_dir: Path, program: Program, processes_of: Any, wait_until: Any
) -> None:
    clients = [program(HOLD, data_dir) for _ in range(3)]
    assert len({pids(client) for client in clients}) == 1
    clients[0].kill()
    clients[1].kill()
    with pytest.raises(AssertionError):
        wait_until(lambda: not processes_of(data_dir), 2.5)
    clients[2].kill()
    wait_until(lambda: not processes_of(data_dir))
    assert not (data_dir / "postgres" / "run").exists()
    assert not (data_dir / "postgres" / "server.json").exists()


def test_processes_that_start_in_the_same_instant_share_one_server(data_dir: Path, program: Program) -> None:
    clients = [program(HOLD, data_dir) for _ in range(6)]
    assert len({pids(client) for client in clients}) == 1


def test_client_that_comes_while_the_server_stops_gets_a_new_one(data_dir: Path, wait_until: Any) -> None:
    first = ensure_server(data_dir)
    first.close()
    wait_until(lambda: not (data_dir / "postgres" / "server.json").exists())
    second = ensure_server(data_dir)
    assert second.postmaster_pid != first.postmaster_pid
    assert psutil.pid_exists(second.postmaster_pid)
    second.close()


def test_supervisor_killed_takes_postgres_along_and_the_next_start_recovers(data_dir: Path, wait_until: Any) -> None:
    first = ensure_server(data_dir)
    with psycopg.connect(first.url("operator")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1")
    os.kill(first.supervisor_pid, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(first.supervisor_pid))
    second = ensure_server(data_dir)
    assert second.supervisor_pid != first.supervisor_pid
    wait_until(lambda: not psutil.pid_exists(first.postmaster_pid))
    with psycopg.connect(second.url("operator")) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)
    first.close()
    second.close()


def test_supervisor_killed_alone_leaves_no_postgres(data_dir: Path, wait_until: Any, processes_of: Any) -> None:
    server = ensure_server(data_dir)
    os.kill(server.supervisor_pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(data_dir))
    server.close()


def test_postgres_killed_is_started_again_by_its_supervisor(data_dir: Path, wait_until: Any) -> None:
    first = ensure_server(data_dir)
    os.kill(first.postmaster_pid, signal.SIGKILL)
    # The supervisor buries its child a moment before it takes back where that one was.
    wait_until(lambda: not psutil.pid_exists(first.postmaster_pid) and not _is_told(first))
    second = ensure_server(data_dir)
    assert second.supervisor_pid == first.supervisor_pid
    with psycopg.connect(second.url("operator")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    first.close()
    second.close()


def _is_told(server: ServerHandle) -> bool:
    with suppress(FileNotFoundError):
        return bool(json.loads(Home(server.home).state.read_text())["postmaster"] == server.postmaster_pid)
    return False


def test_everybody_killed_at_once_leaves_a_lock_file_that_does_not_matter(
    data_dir: Path, wait_until: Any, processes_of: Any
) -> None:
    server = ensure_server(data_dir)
    os.kill(server.supervisor_pid, signal.SIGSTOP)
    os.kill(server.postmaster_pid, signal.SIGKILL)
    os.kill(server.supervisor_pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(data_dir))
    # After a reboot the number in the file may belong to any process, here to this one.
    lock_file = data_dir / "postgres" / "18" / "postmaster.pid"
    lines = lock_file.read_text().splitlines()
    lock_file.write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
    again = ensure_server(data_dir)
    with psycopg.connect(again.url("operator")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.close()
    again.close()


def test_acknowledged_rows_survive_five_rounds_of_kill_9(data_dir: Path, program: Program, wait_until: Any) -> None:
    acknowledged: list[int] = []
    for _ in range(5):
        writer = program(INSERT, data_dir)
        assert writer.stdout is not None
        acknowledged += [int(writer.stdout.readline()) for _ in range(200)]
        server = ensure_server(data_dir)
        os.kill(server.supervisor_pid, signal.SIGKILL)
        os.kill(server.postmaster_pid, signal.SIGKILL)
        writer.kill()
        acknowledged += [int(line) for line in writer.stdout.read().splitlines()]
        server.close()
        writer.wait()
        # Who is killed dies when the machine gets to it; until then he looks alive to whoever attaches.
        wait_until(partial(none_lives, server.supervisor_pid, server.postmaster_pid))
    server = ensure_server(data_dir)
    with psycopg.connect(server.url("operator")) as connection:
        stored = {number for (number,) in connection.execute("SELECT id FROM row")}
    server.close()
    assert len(acknowledged) >= 1000
    assert set(acknowledged) <= stored


def test_child_made_by_fork_does_not_keep_the_server(
    data_dir: Path, program: Program, processes_of: Any, wait_until: Any
) -> None:
    fork = HOLD.replace("print(", "import os, time\nif os.fork() == 0: time.sleep(60); os._exit(0)\nprint(")
    parent = program(fork, data_dir)
    pids(parent)
    children = psutil.Process(parent.pid).children()
    assert [child.is_running() for child in children] == [True]
    parent.kill()
    wait_until(lambda: not processes_of(data_dir))
    children[0].kill()


def test_started_program_does_not_keep_the_server(data_dir: Path, wait_until: Any, processes_of: Any) -> None:
    server = ensure_server(data_dir)
    child = subprocess.Popen([sys.executable, "-c", "input()"], close_fds=False, stdin=subprocess.PIPE)
    server.close()
    wait_until(lambda: not processes_of(data_dir))
    child.communicate()


def test_server_stops_when_its_folder_is_removed(data_dir: Path, wait_until: Any, processes_of: Any) -> None:
    server = ensure_server(data_dir)
    (data_dir / "postgres").rename(data_dir / "elsewhere")
    wait_until(lambda: not processes_of(data_dir))
    server.close()


def test_term_signal_stops_supervisor_and_server(data_dir: Path, wait_until: Any, processes_of: Any) -> None:
    server = ensure_server(data_dir)
    os.kill(server.supervisor_pid, signal.SIGTERM)
    wait_until(lambda: not processes_of(data_dir))
    assert "database system is shut down" in (data_dir / "postgres" / "postgres.log").read_text()
    server.close()
