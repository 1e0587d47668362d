"""What the benchmarks of outreach run on: the doubles of the tools, and worker processes that may be killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from bench.harness import Bench, Cpu

from syncline.apps.outreach.connections import service as connections

_SILENT = "update jobs.pgqueuer set heartbeat = now() - interval '1 minute' where status = 'picked'"


@dataclass(slots=True)
class Doubles:
    """lemlist, Smartlead and Mixpanel in one process. `told` is what it said of itself."""

    told: dict[str, Any]
    pid: int

    @property
    def url(self) -> str:
        return str(self.told["url"])


@asynccontextmanager
async def doubles(events: int, campaigns: int, *options: str) -> AsyncIterator[Doubles]:
    """`options` are further ones of `syncline sandbox outreach`."""
    command = [sys.executable, "-m", "syncline.main", "sandbox", "outreach", "--json", "--port", "0"]
    command += ["--parent", str(os.getpid()), "--events", str(events), "--campaigns", str(campaigns)]
    # Bodies of mails are not read; without this the double would spend its time on writing them.
    process = await asyncio.create_subprocess_exec(*command, "--set", "smartlead:body_bytes=200", *options, stdout=PIPE)
    assert process.stdout is not None
    try:
        yield Doubles(json.loads(await process.stdout.readline()), process.pid)
    finally:
        process.terminate()
        await process.wait()


async def connect(bench: Bench, told: dict[str, Any], plans: dict[str, str]) -> None:
    """`plans` by tool: whose limits we keep to."""
    for platform, plan in plans.items():
        one = told[platform]
        given = {"base_url": one["url"], "plan": plan, "api_key": one.get("key")}
        given |= {"project": one.get("project_id"), "username": one.get("username"), "password": one.get("password")}
        await connections.put(bench.runtime, bench.actor, platform, given)


@dataclass(slots=True)
class Workers:
    """One at a time, as `syncline serve --roles worker`. `peak` is the most memory that any had, in bytes."""

    data_dir: Path
    log: Path
    process: Process | None = None
    peak: int = 0
    killed: int = 0
    ended_cpu: float = 0.0
    running_cpu: float = 0.0

    async def start(self, *, wait: bool = True) -> None:
        """With `wait` it takes up work by the time this returns."""
        environment = {**os.environ, "SYNCLINE_DATA_DIR": str(self.data_dir), "SYNCLINE_OUTREACH_EXPORT_LAG": "0"}
        command = (sys.executable, "-m", "syncline.main", "serve", "--roles", "worker", "--port", "0", "--json")
        with self.log.open("ab") as log:
            out = PIPE if wait else DEVNULL
            self.process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=out, stderr=log)
        if wait and self.process.stdout is not None and not await self.process.stdout.readline():
            raise SystemExit(f"the worker did not start:\n{self.log.read_text()[-2_000:]}")

    def look(self) -> None:
        if self.process is not None:
            with suppress(psutil.Error):
                self.peak = max(self.peak, psutil.Process(self.process.pid).memory_info().rss)
                self.running_cpu = Cpu.of(self.process.pid).seconds

    @property
    def cpu(self) -> float:
        """Seconds of the processor that all took until the last look."""
        return self.ended_cpu + self.running_cpu

    async def kill(self, bench: Bench) -> None:
        """With SIGKILL; the next begins at once. That a worker is silent is noticed after six seconds, here at once, so
        that the work is measured and not the wait."""
        await self.stop(signal.SIGKILL)
        self.killed += 1
        async with bench.runtime.database.system() as session:
            await (await session.driver()).execute(_SILENT)
        await self.start(wait=False)

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.look()
            with suppress(ProcessLookupError):
                self.process.send_signal(number)
            await self.process.wait()
            self.process = None
            self.ended_cpu, self.running_cpu = self.cpu, 0.0


def spread(seed: Sequence[str]) -> list[str]:
    """Each as an option `--faults`."""
    return [word for fault in seed for word in ("--faults", fault)]
