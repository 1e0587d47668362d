"""How fast approved prices go out and come back: against the least time that the store's bucket allows.

Load model: one store in a sandbox process, limits on, mirrored beforehand without them; prices of so many variants
staged by one edit, approved as all that match, pushed, rolled back, and the rollback pushed. The least time is what the
bucket had to give back for the points that were charged: (charged - full bucket) / restore rate.

With `--workers` a push of as many changes is made with each number of workers, without the store's limits, and with
every answer of the store later by `--latency` seconds, as over a network: what more workers bring. Their efficiency is
the share of their time, looked at five times a second from the beginning to the end, in which they were at work and not
idle or waiting for points.

    python -m bench.push_store [--products 100000] [--plan plus] [--changes 20000] [--workers 1,2,4,8] [--write-docs]
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from bench.harness import STORE, Bench, Cpu, PeakMemory, connect_store, machine, opened, print_table, write_between
from bench.push_cost import pull, stats

from syncline.apps.commerce.contract import ChangeBatch, ChangeQuery, ChangeStatus
from syncline.apps.commerce.push_contract import MOST_WORKERS, EngineConfig, Strategy
from syncline.main.sandbox_process import running_sandbox
from syncline.main.targets import APPS
from syncline.runtime.jobs import Worker

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
COLUMNS = (
    *("what", "changes", "seconds", "least", "of the least", "changes/s", "requests", "points", "throttled"),
    *("workers", "peak RSS", "CPU s"),
)
WORKER_COLUMNS = (
    "workers",
    "changes",
    "seconds",
    "changes/min",
    "speed-up",
    "at work",
    "requests",
    "peak RSS",
    "CPU s",
)
EARLIER = "The earlier system's published figures: 850 changes/min, 3.2 times the speed by 8 workers, 92 % efficiency."
AT_WORK = frozenset({"reading", "writing", "recording"})
CHANGES = {"standard": 3_000, "advanced": 6_000, "plus": 20_000}
"""As many as a plan lets out and back in again within some minutes."""
FIRST_PRODUCT = 7_000_000_000_000
VARIANTS = 3.5


@dataclass(slots=True)
class Seen:
    """Workers looked at, and how many of them were at work."""

    looks: int = 0
    at_work: int = 0

    def look(self, states: Sequence[str]) -> None:
        self.looks += len(states)
        self.at_work += sum(state in AT_WORK for state in states)


async def approve(bench: Bench, batch: ChangeBatch) -> int:
    return (await bench.commerce.approve(actor=bench.actor, query=ChangeQuery(batch_id=batch.id))).changed


async def push(bench: Bench, http: httpx.AsyncClient, config: EngineConfig) -> dict[str, Any]:
    """From the start of the push to its end, with a full bucket at the beginning."""
    await http.delete("/sandbox/stats")
    stop = asyncio.Event()
    worker = Worker(bench.runtime.database, [job for app in APPS for job in app.jobs], runtime=bench.runtime)
    working = asyncio.create_task(worker.run(stop))
    cpu, began, most, seen = time.process_time(), time.monotonic(), 0, Seen()
    with PeakMemory() as memory:
        run = await bench.commerce.start_push(actor=bench.actor, store=STORE, config=config)
        while not run.status.is_final:
            await asyncio.sleep(0.2)
            run = await bench.commerce.get_push(actor=bench.actor, run_id=run.id)
            here = [one.state for one in run.engine.workers if one.ended_at is None] if run.engine else []
            most = max(most, len(here))
            seen.look(here)
        seconds = time.monotonic() - began
    stop.set()
    await working
    if set(run.counts) != {ChangeStatus.APPLIED}:
        raise SystemExit(f"not everything was applied: {run.counts} {run.error}")
    told = await stats(http)
    bucket = told["bucket"]
    least = max(0.0, bucket["charged"] - bucket["maximumAvailable"]) / bucket["restoreRate"]
    return {
        "changes": run.total,
        "seconds": seconds,
        "least": least if told["limits"] else None,
        "requests": told["requests"],
        "points": bucket["charged"],
        "throttled": bucket["throttled"],
        "workers": most,
        "rss": memory.bytes,
        "cpu": time.process_time() - cpu,
        "at work": seen.at_work / max(1, seen.looks),
    }


async def limit(http: httpx.AsyncClient, plan: str, *, enabled: bool) -> None:
    """With a full bucket."""
    (await http.post("/sandbox/limits", json={"plan": plan, "enabled": enabled})).raise_for_status()


async def written(http: httpx.AsyncClient) -> int:
    """How many writes of prices the store has taken."""
    counts = (await http.get("/sandbox/ledger/counts")).json()
    return sum(counts.values())


async def measure(options: argparse.Namespace) -> None:
    made = ["--products", str(options.products), "--plan", options.plan, "--port", "0"]
    made += ["--variants-per-product", str(VARIANTS)]
    folder = Path(tempfile.mkdtemp(prefix="syncline-push-store-"))
    rows: list[Sequence[object]] = []
    crowd: list[tuple[int, dict[str, Any]]] = []
    try:
        async with (
            running_sandbox(made) as sandbox,
            httpx.AsyncClient(base_url=sandbox.url, timeout=120) as http,
            opened(folder) as bench,
        ):
            await connect_store(bench, sandbox)
            await limit(http, options.plan, enabled=False)
            await pull(bench)
            await limit(http, options.plan, enabled=True)
            last = FIRST_PRODUCT + round(options.changes / VARIANTS)
            config = EngineConfig(strategy=Strategy(options.strategy))
            batch = await bench.commerce.stage_edit(
                actor=bench.actor, store=STORE, where=f"id:<={last}", edits=["price=+7%"]
            )
            count = await approve(bench, batch)
            rows.append(row_of("push", await push(bench, http, config)))
            undo = await bench.commerce.stage_rollback(actor=bench.actor, batch_id=batch.id)
            await approve(bench, undo)
            rows.append(row_of("roll back", await push(bench, http, config)))
            if (found := await written(http)) != 2 * count:
                raise SystemExit(f"the store has taken {found} writes instead of {2 * count}")
            await limit(http, options.plan, enabled=False)
            slow = {"kind": "slow", "seconds": options.latency}
            (await http.post("/sandbox/faults", json=slow)).raise_for_status()
            for number in [int(text) for text in options.workers.split(",") if text]:
                batch = await bench.commerce.stage_edit(
                    actor=bench.actor, store=STORE, where=f"id:<={last}", edits=["price=+1"]
                )
                await approve(bench, batch)
                fixed = EngineConfig(min_workers=number, max_workers=min(number, MOST_WORKERS))
                crowd.append((number, await push(bench, http, fixed)))
            print(f"CPU seconds of the sandbox: {Cpu.of(sandbox.pid).seconds:.0f}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    title = (
        f"{options.products:,} products, plan {options.plan}, strategy {options.strategy}; the store has taken every "
        f"change once. {machine()}"
    )
    shown = print_table(title, COLUMNS, rows)
    if options.write_docs:
        write_between(PAGE, f"push-store-{options.plan}", f"{title}\n\n{shown}")
    if crowd:
        told = f"{options.products:,} products, no limits, every answer {options.latency:g} s later. {machine()}"
        told = f"{told}. {EARLIER}"
        shown = print_table(told, WORKER_COLUMNS, [worker_row(number, one, crowd[0][1]) for number, one in crowd])
        if options.write_docs:
            write_between(PAGE, "push-workers", f"{told}\n\n{shown}")


def worker_row(number: int, one: dict[str, Any], first: dict[str, Any]) -> Sequence[object]:
    speed_up = (one["changes"] / one["seconds"]) / (first["changes"] / first["seconds"])
    return (
        *(number, one["changes"], f"{one['seconds']:.1f}", f"{60 * one['changes'] / one['seconds']:,.0f}"),
        *(
            f"{speed_up:.2f}",
            f"{one['at work']:.0%}",
            one["requests"],
            f"{one['rss'] / 1e6:.0f} MB",
            f"{one['cpu']:.1f}",
        ),
    )


def row_of(what: str, one: dict[str, Any]) -> Sequence[object]:
    least = one["least"]
    return (
        *(what, one["changes"], f"{one['seconds']:.1f}", f"{least:.1f}" if least else "–"),
        f"{one['seconds'] / least:.2f}" if least else "–",
        *(round(one["changes"] / one["seconds"]), one["requests"], round(one["points"]), one["throttled"]),
        *(one["workers"], f"{one['rss'] / 1e6:.0f} MB", f"{one['cpu']:.1f}"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument(
        "--changes", type=int, help=f"by default {', '.join(f'{n:,} on {p}' for p, n in CHANGES.items())}"
    )
    parser.add_argument("--plan", choices=list(CHANGES), default="plus")
    parser.add_argument("--strategy", choices=[one.value for one in Strategy], default="speed")
    parser.add_argument("--workers", default="", help="also without limits, with so many workers each: 1,2,4,8")
    parser.add_argument("--latency", type=float, default=0.3, help="seconds, with --workers")
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    options.changes = options.changes or CHANGES[options.plan]
    asyncio.run(measure(options))


if __name__ == "__main__":
    main()
