"""How fast lemlist and Smartlead come into event_source and on to Mixpanel, with workers that are killed on the way.

Load model: the doubles of both tools and of Mixpanel in one process of their own on the same machine, their limits off
and ours too (`plan none`), faults on when asked for; one worker process at a time; Syncline's own PostgreSQL with
durability on. A worker is killed with SIGKILL at random points, and the next begins at once. Time is from the start of
the run to its end, and from there to the last event delivered. The run is right if the number of stored events, of
different 4-tuples and of raw records at Mixpanel's double are each what the tools have.

    python -m bench.outreach_sync
    python -m bench.outreach_sync --events 1000000 --campaigns 200 --kills 20
    python -m bench.outreach_sync --events 20000 --kills 3 --faults "mixpanel:drop_after=5%@/import"
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from bench.harness import Bench, machine, opened, print_table

from syncline.apps.outreach.connections import service as connections
from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import Platform, SyncMode, SyncRequest

COLUMNS = ("what", "events", "seconds", "events/s", "peak MB of a worker", "killed")
_LOOK_SECONDS = 0.1
_SILENT = "update jobs.pgqueuer set heartbeat = now() - interval '1 minute' where status = 'picked'"


@dataclass(slots=True)
class Workers:
    """One at a time. `peak` is the most memory that any had."""

    data_dir: Path
    process: Process | None = None
    peak: int = 0
    killed: int = 0

    async def start(self) -> None:
        environment = {**os.environ, "SYNCLINE_DATA_DIR": str(self.data_dir), "SYNCLINE_OUTREACH_EXPORT_LAG": "0"}
        command = (sys.executable, "-m", "syncline.main", "serve", "--roles", "worker")
        self.process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)

    def look(self) -> None:
        if self.process is not None:
            with suppress(psutil.Error):
                self.peak = max(self.peak, psutil.Process(self.process.pid).memory_info().rss)

    async def kill(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)
            await self.process.communicate()
            self.process = None


@asynccontextmanager
async def doubles(options: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    """Their addresses."""
    command = [sys.executable, "-m", "syncline.main", "sandbox", "outreach", "--json", "--no-limits", "--port", "0"]
    command += ["--events", str(options.events), "--campaigns", str(options.campaigns)]
    command += ["--set", "smartlead:body_bytes=200"]
    for fault in options.faults:
        command += ["--faults", fault]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


async def connect(bench: Bench, told: dict[str, Any]) -> None:
    for platform in ("lemlist", "smartlead", "mixpanel"):
        one = told[platform]
        given = {"base_url": one["url"], "plan": "none", "api_key": one.get("key")}
        given |= {"project": one.get("project_id"), "username": one.get("username"), "password": one.get("password")}
        await connections.put(bench.runtime, bench.actor, platform, given)


async def measure(options: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory(prefix="syncline-outreach-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - nothing else runs yet
        home = Path(folder) / "data"
        async with doubles(options) as told, opened(home) as bench, httpx.AsyncClient() as http:
            await connect(bench, told)
            workers = Workers(home)
            try:
                rows = await _run(bench, workers, options)
            finally:
                await workers.kill(signal.SIGTERM)
            return await _judge(http, told, rows, options)


async def _run(bench: Bench, workers: Workers, options: argparse.Namespace) -> list[tuple[Any, ...]]:
    points = sorted(random.Random(options.seed).sample(range(options.events), options.kills))
    request = SyncRequest(platforms=tuple(Platform), mode=SyncMode.FULL, batch_size=1_000)
    async with bench.runtime.database.writing(bench.actor.tenant_id) as session:
        run = await service.start(session, bench.runtime, request, actor=bench.actor, config={})
    await workers.start()
    began = time.monotonic()
    while not (seen := await _look(bench, run)).status.is_final:
        workers.look()
        if points and seen.counts.read >= points[0]:
            points.pop(0)
            await workers.kill()
            workers.killed += 1
            await _bury(bench)
            await workers.start()
        await asyncio.sleep(_LOOK_SECONDS)
    stored = time.monotonic() - began
    while await _open(bench):
        workers.look()
        await asyncio.sleep(_LOOK_SECONDS)
    whole = time.monotonic() - began
    count, peak = seen.counts.created, round(workers.peak / 1_000_000)
    return [
        ("into event_source", count, round(stored, 1), round(count / stored), peak, workers.killed),
        ("and at Mixpanel", count, round(whole, 1), round(count / whole), peak, workers.killed),
    ]


async def _look(bench: Bench, run: Run) -> Run:
    async with bench.runtime.database.reading(bench.actor.tenant_id) as session:
        return await service.get(session, run.id)


async def _open(bench: Bench) -> int:
    async with bench.runtime.database.reading(bench.actor.tenant_id) as session:
        return int((await service.deliveries_of(session))["open"])


async def _bury(bench: Bench) -> None:
    """That a worker is silent is noticed after six seconds; here at once, so that the work is measured."""
    async with bench.runtime.database.system() as session:
        await (await session.driver()).execute(_SILENT)


async def _judge(
    http: httpx.AsyncClient,
    told: dict[str, Any],
    rows: list[tuple[Any, ...]],
    options: argparse.Namespace,
) -> bool:
    lemlist = (await http.get(f"{told['url']}/lemlist/sandbox/truth")).json()
    smartlead = (await http.get(f"{told['url']}/smartlead/sandbox/truth")).json()
    at_mixpanel = (await http.get(f"{told['url']}/mixpanel/sandbox/counts")).json()
    # Notes belong to no campaign, and of repeated opens Smartlead shows one.
    expected = lemlist["events"] - lemlist["by_kind"].get("annotated", 0) + smartlead["first"]
    found = {"stored": rows[0][1], "raw": at_mixpanel["raw"], "distinct": at_mixpanel["distinct"]}
    title = f"{options.events:,} events of {options.campaigns} campaigns, {machine()}"
    print_table(title, COLUMNS, rows)
    is_exact = set(found.values()) == {expected}
    print(f"expected {expected:,}; {found}: {'exact' if is_exact else 'WRONG'}")
    return is_exact


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--campaigns", type=int, default=200)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", action="append", default=[])
    sys.exit(0 if asyncio.run(measure(parser.parse_args())) else 1)


if __name__ == "__main__":
    main()
