"""How fast a store comes in: full, again unchanged, and beside both the same rows by bare COPY and merge.

Load model: one store in a sandbox process on the same machine, its limits off, its bulk results prepared beforehand;
one
worker process; Syncline's own PostgreSQL with durability on. The records are products, variants, locations and stock
levels. Time is the run's own, from its start to the end of its reconciliation.

    python -m bench.pull_store [--products 10000] [--variants 3.5] [--rounds 3] [--path bulk] [--write-docs]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from bench.harness import STORE, Cpu, PeakMemory, child, connect_store, machine, opened, print_table, write_between

from syncline.apps.commerce.contract import PullMode, PullPath, PullRun, RunStatus
from syncline.apps.commerce.mirror.kinds import KINDS, Content, content_hash
from syncline.apps.commerce.mirror.models import inventory_level, location, product, variant
from syncline.connectors.shopify import bulk
from syncline.connectors.shopify.client import ShopifyClient, ShopifyConfig
from syncline.connectors.shopify.records import decode, kind_of
from syncline.connectors.shopify.streams import STREAMS
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.main.sandbox_process import RunningSandbox, running_sandbox
from syncline.main.targets import APPS
from syncline.runtime.db.copy import copy_rows, create_staging, merge_rows
from syncline.runtime.jobs import Worker
from syncline.runtime.observe import logs

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"


async def prepare_bulk(sandbox: RunningSandbox) -> list[bytes]:
    """Has the sandbox write its bulk results, and returns all their lines."""
    config = ShopifyConfig(sandbox.shop_domain, sandbox.token, base_url=sandbox.url)
    lines: list[bytes] = []
    async with ShopifyClient(config) as client:
        for stream in STREAMS.values():
            operation = await bulk.start(client, stream)
            state = await bulk.wait(client, operation)
            if state.url is not None:
                async for chunk in bulk.read_file(client, state.url, size=state.file_size):
                    lines += chunk.lines
    return lines


async def pull(data_dir: Path, path: str) -> dict[str, Any]:
    """One pull in this process, which does nothing else; run as a child."""
    async with opened(data_dir) as bench:
        stop = asyncio.Event()
        worker = Worker(bench.runtime.database, [job for app in APPS for job in app.jobs], runtime=bench.runtime)
        working = asyncio.create_task(worker.run(stop))
        cpu = time.process_time()
        with PeakMemory() as memory:
            run = await bench.commerce.start_pull(
                actor=bench.actor, store=STORE, mode=PullMode.FULL, path=PullPath(path)
            )
            run = await _ended(bench.commerce.get_pull, bench.actor, run.id)
        stop.set()
        await working
        if run.status is not RunStatus.COMPLETED or run.started_at is None or run.finished_at is None:
            raise SystemExit(f"the pull did not complete: {run.error}")
        return {
            "seconds": (run.finished_at - run.started_at).total_seconds(),
            "read": sum(stream.read for stream in run.streams),
            "written": sum(stream.inserted + stream.updated for stream in run.streams),
            "rss": memory.bytes,
            "cpu": time.process_time() - cpu,
        }


async def _ended(get: Any, actor: Any, run_id: UUID) -> PullRun:
    while True:
        run: PullRun = await get(actor=actor, run_id=run_id)
        if run.status.is_final:
            return run
        await asyncio.sleep(0.05)


async def bare_copy(data_dir: Path, lines: list[bytes]) -> dict[str, Any]:
    """The same rows, decoded beforehand, by COPY and one merge per 5,000 into empty tables: the limit of this
    database."""
    rows: dict[str, list[Content]] = {}
    for line in lines:
        name = kind_of(line)
        kind = KINDS[name]
        node = decode(line, name)
        content = kind.content(node)
        rows.setdefault(name, []).append((*content, kind.version(node), 0, content_hash(content)))
    store_id = new_id()
    async with opened(data_dir) as bench:
        started = time.perf_counter()
        for name, all_rows in rows.items():
            kind = KINDS[name]
            columns = [*kind.columns, "source_updated_at", "line_hash", "content_hash"]
            for start in range(0, len(all_rows), 5_000):
                async with bench.runtime.database.writing(bench.actor.tenant_id) as session:
                    staged = await create_staging(session, kind.relation, columns)
                    await copy_rows(session, staged, columns, all_rows[start : start + 5_000])
                    await merge_rows(
                        session,
                        staged=staged,
                        target=kind.relation,
                        columns=columns,
                        key=["store_id", *kind.key],
                        fixed={"store_id": store_id, "synced_at": clock.now()},
                    )
        seconds = time.perf_counter() - started
        async with bench.runtime.database.writing(bench.actor.tenant_id) as session:
            for table in (product, variant, location, inventory_level):
                await session.execute(table.delete().where(table.c.store_id == store_id))
    return {"seconds": seconds, "read": len(lines)}


async def measure(options: argparse.Namespace) -> None:
    logs.configure(level="WARNING", pretty=None)
    arguments = ["--products", str(options.products), "--variants-per-product", str(options.variants)]
    with tempfile.TemporaryDirectory(prefix="syncline-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - nothing else runs yet
        async with running_sandbox([*arguments, "--no-limits", "--port", "0"]) as sandbox:
            lines = await prepare_bulk(sandbox)
            results: dict[str, list[dict[str, Any]]] = {}
            for round_ in range(options.rounds):
                home = Path(folder) / str(round_)
                async with opened(home) as bench:
                    await connect_store(bench, sandbox)
                    supervisor = _server_pid(home)
                    for name in ("full pull", "second pull, nothing changed"):
                        before = Cpu.of(sandbox.pid), Cpu.of(supervisor)
                        found = await child("bench.pull_store", "--child", str(home), "--path", options.path)
                        found["sandbox"] = Cpu.of(sandbox.pid).since(before[0])
                        found["database"] = Cpu.of(supervisor).since(before[1])
                        results.setdefault(name, []).append(found)
                    before_bare = Cpu.of(supervisor)
                    bare = await bare_copy(home, lines)
                    bare["database"] = Cpu.of(supervisor).since(before_bare)
                    results.setdefault("bare COPY and merge of the same rows", []).append(bare)
            async with httpx.AsyncClient() as http:
                throttled = (await http.get(f"{sandbox.url}/sandbox/stats")).json()["throttled"]
    report(options, results, throttled)


def _server_pid(home: Path) -> int:
    from syncline.runtime.db.server import ensure_server

    handle = ensure_server(home)
    try:
        return handle.supervisor_pid
    finally:
        handle.close()


def report(options: argparse.Namespace, results: dict[str, list[dict[str, Any]]], throttled: int) -> None:
    columns = (
        "what",
        "records",
        "seconds",
        "records/s",
        "of the limit",
        "peak RSS",
        "CPU s: worker",
        "database",
        "sandbox",
    )
    limit = max(_rate(one) for one in results["bare COPY and merge of the same rows"])
    rows = []
    for name, found in results.items():
        best = sorted(found, key=lambda one: float(one["seconds"]))[len(found) // 2]
        rows.append(
            (
                name,
                best["read"],
                best["seconds"],
                round(_rate(best)),
                f"{_rate(best) / limit:.2f}",
                f"{best['rss'] / 1e6:.0f} MB" if "rss" in best else "–",
                *(f"{best[part]:.1f}" if part in best else "–" for part in ("cpu", "database", "sandbox")),
            )
        )
    title = (
        f"{options.products:,} products, {options.variants:g} variants each, path {options.path}, "
        f"median of {options.rounds}; {machine()}; {throttled} THROTTLED"
    )
    text = print_table(title, columns, rows)
    if options.write_docs:
        write_between(PAGE, "pull", f"{title}\n\n{text}")


def _rate(found: dict[str, Any]) -> float:
    return float(found["read"]) / float(found["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--variants", type=float, default=3.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--path", choices=["bulk", "paged"], default="bulk")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        print(json.dumps(asyncio.run(pull(options.child, options.path))))
    else:
        asyncio.run(measure(options))


if __name__ == "__main__":
    main()
