"""How much of a store's rate limit a paged pull and a push use, and how often they are refused.

Load model: one store in a sandbox process on the `standard` plan (100 points restored a second, 2,000 at once), limits
on; one worker process. Use is what Shopify charged over all there was to have from the first request to the last: a
full bucket, and what was restored meanwhile.

    python -m bench.rate_limit [--products 5000] [--plan standard] [--write-docs]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from bench.harness import STORE, Bench, child, connect_store, machine, opened, print_table, write_between

from syncline.apps.commerce.contract import ChangeQuery, PullMode, PullPath
from syncline.main.sandbox_process import running_sandbox
from syncline.main.targets import APPS
from syncline.runtime.jobs import Worker
from syncline.runtime.observe import logs
from syncline.sandbox.shopify.journal import FIRST_IDS

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
EDIT = "price=+10%~.99"
FIRST_PRODUCT = FIRST_IDS["product"]


@dataclass(frozen=True)
class Use:
    """What the store's bucket saw."""

    seconds: float
    charged: float
    share: float
    requests: int
    throttled: int


async def work(data_dir: Path, what: str, pushed: int) -> None:
    """One pull or push in this process; run as a child."""
    async with opened(data_dir) as bench:
        stop = asyncio.Event()
        worker = Worker(bench.runtime.database, [job for app in APPS for job in app.jobs], runtime=bench.runtime)
        working = asyncio.create_task(worker.run(stop))
        await (_pull(bench) if what == "pull" else _push(bench, pushed))
        stop.set()
        await working


async def _pull(bench: Bench) -> None:
    run = await bench.commerce.start_pull(actor=bench.actor, store=STORE, mode=PullMode.FULL, path=PullPath.PAGED)
    while not run.status.is_final:
        await asyncio.sleep(0.1)
        run = await bench.commerce.get_pull(actor=bench.actor, run_id=run.id)
    if run.error:
        raise SystemExit(run.error)


async def _push(bench: Bench, products: int) -> None:
    """The sandbox numbers its products one by one."""
    where = f"id:<{FIRST_PRODUCT + products}"
    batch = await bench.commerce.stage_edit(actor=bench.actor, store=STORE, where=where, edits=[EDIT])
    approved = (await bench.commerce.approve(actor=bench.actor, query=ChangeQuery(batch_id=batch.id))).changed
    run = await bench.commerce.start_push(actor=bench.actor, store=STORE)
    while not run.status.is_final:
        await asyncio.sleep(0.1)
        run = await bench.commerce.get_push(actor=bench.actor, run_id=run.id)
    if run.error or run.counts.get("applied") != approved:
        raise SystemExit(f"{run.error}: {run.counts} of {approved} in {products} products")


def use_of(stats: dict[str, Any]) -> Use:
    bucket = stats["bucket"]
    history = {entry["second"]: entry["charged"] for entry in bucket["history"]}
    seconds = float(max(history) - min(history) + 1)
    charged = sum(history.values())
    return Use(
        seconds=seconds,
        charged=charged,
        share=charged / (bucket["maximumAvailable"] + bucket["restoreRate"] * seconds),
        requests=stats["requests"],
        throttled=stats["throttled"],
    )


async def measure(options: argparse.Namespace) -> None:
    logs.configure(level="WARNING", pretty=None)
    rows = []
    with tempfile.TemporaryDirectory(prefix="syncline-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - nothing else runs yet
        home = Path(folder) / "data"
        arguments = ["--products", str(options.products), "--plan", options.plan, "--port", "0"]
        async with (
            running_sandbox(arguments) as sandbox,
            httpx.AsyncClient(base_url=sandbox.url) as http,
            opened(home) as bench,
        ):
            await connect_store(bench, sandbox)
            for what, name in (("pull", "paged pull"), ("push", f"push of prices of {options.pushed} products")):
                await asyncio.sleep(options.refill)
                await http.delete("/sandbox/stats")
                await child("bench.rate_limit", "--child", str(home), "--what", what, "--pushed", str(options.pushed))
                use = use_of((await http.get("/sandbox/stats")).json())
                rows.append((name, use.requests, round(use.charged), use.seconds, f"{use.share:.1%}", use.throttled))
    title = f"{options.products:,} products on `{options.plan}`; {machine()}"
    text = print_table(title, ("what", "requests", "points", "seconds", "of what was to be had", "THROTTLED"), rows)
    if options.write_docs:
        write_between(PAGE, "rate-limit", f"{title}\n\n{text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=2_000)
    parser.add_argument("--pushed", type=int, default=400, help="Products whose prices are pushed")
    parser.add_argument("--plan", default="standard")
    parser.add_argument("--refill", type=float, default=21.0, help="Seconds to let the bucket fill again")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--what", choices=["pull", "push"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        asyncio.run(work(options.child, options.what, options.pushed))
        print(json.dumps({}))
    else:
        asyncio.run(measure(options))


if __name__ == "__main__":
    main()
