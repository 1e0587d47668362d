"""Worker processes that a test may kill.

One process imports everything and forks a worker for each line it is given, so that a worker is there in some ten
milliseconds instead of seconds. A worker is composed as `serve` composes it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg

from syncline.main.compose import compose
from syncline.main.sandbox_process import die_with_parent
from syncline.main.schema import open_access
from syncline.main.serve import make_parts, make_worker
from syncline.main.settings import load_settings
from syncline.main.targets import APPS
from syncline.main.testing.works import Works
from syncline.runtime.observe import logs


async def _work() -> None:
    settings = load_settings()
    async with open_access(settings) as access, compose(settings, access) as runtime, asyncio.TaskGroup() as group:
        for part in make_parts(runtime, APPS, make_worker(runtime, APPS, settings)):
            group.create_task(part.keep_running(asyncio.Event()))


def main() -> None:
    """Forks a worker for each line on standard input, which is its environment as JSON, and prints its process id; ends
    with its input."""
    logs.configure(level="WARNING", pretty=False)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    for line in iter(sys.stdin.readline, ""):
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            die_with_parent(parent)
            os.environ.update(json.loads(line))
            asyncio.run(_work())
            os._exit(0)
        print(child, flush=True)  # noqa: T201 - this is what it is for


@dataclass(slots=True)
class Farm:
    """`killed` are the workers that were ended with SIGKILL."""

    process: asyncio.subprocess.Process
    works: Works
    environment: Mapping[str, str]
    living: set[int] = field(default_factory=set)
    killed: list[int] = field(default_factory=list)

    async def start(self) -> int:
        """The process id of a new worker."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(self.environment).encode() + b"\n")
        pid = int(await self.process.stdout.readline())
        self.living.add(pid)
        return pid

    def kill(self, pid: int) -> None:
        """Nothing of it gets another step."""
        os.kill(pid, signal.SIGKILL)
        self.living.discard(pid)
        self.killed.append(pid)

    async def bury(self) -> None:
        """Let the silence of the killed have lasted: their jobs, and what they had claimed of a push, go to the next
        worker at once. That it is noticed after six seconds is what tests/runtime/jobs and
        tests/journeys/test_push_by_two_processes.py show."""
        async with await psycopg.AsyncConnection.connect(
            self.works.runtime.database.operator_url, autocommit=True
        ) as connection:
            await _certainly(
                connection, "update jobs.pgqueuer set heartbeat = now() - interval '1 minute' where status = 'picked'"
            )
            await _certainly(
                connection,
                "update commerce.push_worker set seen_at = now() - interval '1 minute' where ended_at is null",
            )


async def _certainly(connection: psycopg.AsyncConnection[Any], statement: LiteralString) -> None:
    """The last transaction of the killed may be going on yet, and have locked the same rows in another order."""
    while True:
        with suppress(psycopg.errors.DeadlockDetected):
            await connection.execute(statement)
            return


@asynccontextmanager
async def open_seedbed() -> AsyncIterator[asyncio.subprocess.Process]:
    """The process that workers are forked from; one serves many farms, one after the other."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "syncline.main.testing.farm"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()


@asynccontextmanager
async def open_farm(
    seedbed: asyncio.subprocess.Process, works: Works, environment: Mapping[str, str]
) -> AsyncIterator[Farm]:
    """Workers on the database of `works`; `environment` holds the settings they have besides."""
    settings = works.settings
    own = {
        "SYNCLINE_DATA_DIR": str(settings.data_dir),
        "SYNCLINE_DATABASE_URL": str(settings.database_url),
        "SYNCLINE_DATABASE_ADMIN_URL": str(settings.database_admin_url),
    }
    farm = Farm(seedbed, works, {**environment, **own})
    try:
        yield farm
    finally:
        for pid in list(farm.living):
            farm.kill(pid)


if __name__ == "__main__":
    main()
