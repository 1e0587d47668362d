"""How a process ends: told to once, told to twice, and while another takes its place."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, LiteralString

import httpx
import pytest

from syncline.main.listening import BadAddress, handed_listener, listen
from syncline.main.probe import PROBE
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs import JobQueue
from syncline.runtime.jobs.testing import eventually

# As systemd does it: the socket is descriptor 3, and the variables name this very process.
HANDED = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "syncline.main", *sys.argv[2:]])
"""


class Fleet:
    """`syncline serve` processes, all on one socket that the test holds."""

    def __init__(self, listener: socket.socket, environment: dict[str, str]) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._listener = listener
        self._environment = environment
        self.running: list[subprocess.Popen[str]] = []

    def start(self, **more: str) -> subprocess.Popen[str]:
        """A process that has said that it listens."""
        fd = self._listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-c", HANDED, str(fd), "serve", "--json"],
            env=self._environment | more,
            pass_fds=(fd,),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.running.append(process)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["url"] == self.url
        return process

    def stop(self, process: subprocess.Popen[str]) -> int:
        process.terminate()
        return process.wait(timeout=60)


@pytest.fixture
def fleet(database_settings: DatabaseSettings, tmp_path: Path) -> Iterator[Fleet]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNCLINE_")}
    environment |= {
        "SYNCLINE_DATABASE_URL": str(database_settings.url),
        "SYNCLINE_DATABASE_ADMIN_URL": str(database_settings.admin_url),
        "SYNCLINE_DATA_DIR": str(tmp_path),
    }
    with listen("127.0.0.1", 0) as listener:
        made = Fleet(listener, environment)
        yield made
        for process in made.running:
            process.kill()
            process.communicate()


@asynccontextmanager
async def steady_requests(url: str, *, callers: int = 8) -> AsyncIterator[Counter[str]]:
    """Callers that keep their connections and ask one thing after the other; what they were answered, by status or by
    the name of what went wrong."""
    seen: Counter[str] = Counter()
    is_over = asyncio.Event()

    async def ask() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            while not is_over.is_set():
                try:
                    answer = await client.get(f"{url}/live")
                    seen[str(answer.status_code)] += 1
                except httpx.HTTPError as error:
                    seen[type(error).__name__] += 1
                await asyncio.sleep(0.002)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(ask())
        yield seen
        is_over.set()


@asynccontextmanager
async def steady_jobs(database: Database) -> AsyncIterator[list[int]]:
    """The ids of jobs that are enqueued one after the other while the block runs."""
    ids: list[int] = []
    is_over = asyncio.Event()
    queue = JobQueue([PROBE])

    async def enqueue() -> None:
        while not is_over.is_set():
            async with database.system() as session:
                ids.append(await queue.enqueue(session, PROBE.name, {}))
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        group.create_task(enqueue())
        yield ids
        is_over.set()


async def _one(database: Database, query: LiteralString, *values: object) -> Any:
    async with database.system() as session:
        row = await (await (await session.driver()).execute(query, values or None)).fetchone()
    return row[0] if row else None


@pytest.mark.process
async def test_two_processes_are_restarted_in_turn_under_load_and_nobody_notices(
    fleet: Fleet, database: Database
) -> None:
    first, second = await asyncio.to_thread(fleet.start), await asyncio.to_thread(fleet.start)
    async with steady_requests(fleet.url) as seen, steady_jobs(database) as jobs:
        for old in (first, second):
            assert await asyncio.to_thread(fleet.stop, old) == 0
            await asyncio.to_thread(fleet.start)
            await _many_more(seen)
    assert seen.keys() == {"200"}
    assert len(jobs) > 50
    await eventually(lambda: _none_waits(database, jobs))
    # Only the test's own: the processes enqueue what their schedules ask for.
    done = (
        "SELECT array_agg(job_id ORDER BY job_id) FROM jobs.pgqueuer_log "
        "WHERE status = 'successful' AND job_id = ANY(%s)"
    )
    assert await _one(database, done, jobs) == jobs
    assert await _one(database, "SELECT count(*) FROM jobs.dead_letter") == 0


async def _many_more(seen: Counter[str]) -> None:
    before = seen["200"]
    await eventually(lambda: seen["200"] > before + 100)


async def _none_waits(database: Database, ids: list[int]) -> bool:
    return bool(await _one(database, "SELECT count(*) = 0 FROM jobs.pgqueuer WHERE id = ANY(%s)", ids))


@pytest.mark.process
async def test_a_single_process_is_restarted_and_its_callers_only_wait(fleet: Fleet) -> None:
    only = await asyncio.to_thread(fleet.start)
    async with steady_requests(fleet.url) as seen:
        await eventually(lambda: seen["200"] > 100)
        assert await asyncio.to_thread(fleet.stop, only) == 0
        await asyncio.to_thread(fleet.start)
        await _many_more(seen)
    assert seen.keys() == {"200"}


@pytest.mark.process
async def test_ready_turns_503_first_while_everything_else_is_still_answered(fleet: Fleet) -> None:
    process = await asyncio.to_thread(fleet.start, SYNCLINE_STOP_DELAY_SECONDS="5")
    async with httpx.AsyncClient(base_url=fleet.url, timeout=60) as client:
        assert (await client.get("/ready")).headers.get("connection") is None
        process.terminate()

        async def is_told() -> bool:
            return (await client.get("/ready")).status_code == 503

        await eventually(is_told)
        ready, live, work = await client.get("/ready"), await client.get("/live"), await client.get("/openapi.json")
    assert ready.json() == {"status": "not ready", "reasons": {"process": "is stopping"}}
    assert (live.status_code, work.status_code) == (200, 200)
    assert {answer.headers["connection"] for answer in (ready, live, work)} == {"close"}
    assert await asyncio.to_thread(process.wait, 60) == 0


@pytest.mark.process
async def test_asked_twice_it_waits_for_nothing(fleet: Fleet) -> None:
    process = await asyncio.to_thread(fleet.start, SYNCLINE_STOP_DELAY_SECONDS="300")
    process.send_signal(signal.SIGTERM)
    async with httpx.AsyncClient(base_url=fleet.url, timeout=60) as client:

        async def is_told() -> bool:
            return (await client.get("/ready")).status_code == 503

        await eventually(is_told)
    await asyncio.sleep(1)  # sooner it would be the same wish
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 60) == 0


def told(**more: str) -> dict[str, str]:
    return {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "web", "HOME": "/", **more}


def test_a_socket_that_was_handed_over_is_taken_and_no_child_is_told_of_it() -> None:
    environment = told()
    with listen("127.0.0.1", 0) as listener:
        handed = handed_listener(environment, fd=os.dup(listener.fileno()))
        assert handed is not None
        with handed:
            assert handed.getsockname() == listener.getsockname()
            assert not handed.get_inheritable()
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize("environment", [{}, told(LISTEN_PID="1"), told(LISTEN_FDS="")])
def test_what_is_not_meant_for_this_process_is_left_alone(environment: dict[str, str]) -> None:
    assert handed_listener(environment) is None


def test_two_sockets_and_one_that_is_none_are_sentences() -> None:
    with pytest.raises(BadAddress, match="hand over one"):
        handed_listener(told(LISTEN_FDS="2"))
    with Path("/dev/null").open() as nothing, pytest.raises(BadAddress, match="no socket"):
        handed_listener(told(), fd=nothing.fileno())
    with socket.socket() as idle, pytest.raises(BadAddress, match="does not listen"):
        handed_listener(told(), fd=idle.fileno())
