"""How fast a store comes in: full, again unchanged, and beside both the same rows by bare COPY and merge.

Load model: one store in a sandbox process on the same machine, its limits off, its bulk results prepared beforehand;
one worker process; Syncline's own PostgreSQL with durability on. The records are products, variants, locations and
stock levels, or those of the streams that are named. Time is the run's own, from its start to the end of its
reconciliation; of the bare rows it is that of COPY, merge and commit alone.

    python -m bench.pull_store [--sizes 10000,100000] [--variants 3.5] [--streams products,inventory] [--rounds 3]
                               [--path bulk] [--write-docs]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import uvloop
from bench.harness import (
    STORE,
    Bench,
    Cpu,
    PeakMemory,
    child,
    connect_store,
    machine,
    opened,
    print_table,
    write_between,
)
from sqlalchemy import text

from syncline.apps.commerce.contract import PullMode, PullPath, PullRun, RunStatus
from syncline.apps.commerce.mirror.kinds import KINDS, Content, Kind, content_hash
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

FULL, SECOND = "full pull", "second pull, nothing changed"
BARE = "bare COPY and merge of the same rows"
COLUMNS = (
    *("products", "what", "records", "seconds", "records/s", "of the limit", "peak RSS", "rows written", "WAL"),
    *("of the full pull's", "CPU s: worker", "database", "sandbox"),
)
_BARE_ROWS = 5_000
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"


async def prepare_bulk(sandbox: RunningSandbox, names: Sequence[str]) -> dict[str, bulk.BulkState]:
    """Has the sandbox write its bulk results."""
    async with _client(sandbox) as client:
        operations = {name: await bulk.start(client, STREAMS[name]) for name in names}
        return {name: await bulk.wait(client, operation) for name, operation in operations.items()}


def _client(sandbox: RunningSandbox) -> ShopifyClient:
    return ShopifyClient(ShopifyConfig(sandbox.shop_domain, sandbox.token, base_url=sandbox.url))


async def pull(data_dir: Path, path: str, streams: Sequence[str]) -> dict[str, Any]:
    """One pull in this process, which does nothing else; run as a child."""
    async with opened(data_dir) as bench:
        stop = asyncio.Event()
        worker = Worker(bench.runtime.database, [job for app in APPS for job in app.jobs], runtime=bench.runtime)
        working = asyncio.create_task(worker.run(stop))
        cpu, wal = time.process_time(), await wal_bytes(bench)
        with PeakMemory() as memory:
            run = await bench.commerce.start_pull(
                actor=bench.actor, store=STORE, mode=PullMode.FULL, streams=streams, path=PullPath(path)
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
            "wal": await wal_bytes(bench) - wal,
        }


async def _ended(get: Any, actor: Any, run_id: UUID) -> PullRun:
    while True:
        run: PullRun = await get(actor=actor, run_id=run_id)
        if run.status.is_final:
            return run
        await asyncio.sleep(0.05)


async def wal_bytes(bench: Bench) -> int:
    """How much the database has ever written to its log."""
    async with bench.runtime.database.system() as session:
        return int((await session.execute(text("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))).scalar_one())


async def bare_copy(data_dir: Path, sandbox: RunningSandbox, states: Mapping[str, bulk.BulkState]) -> dict[str, Any]:
    """The same rows by COPY and one merge per 5,000, for a store that has none yet: the limit of this database. The
    lines are read from the bulk files and decoded outside the time."""
    store_id, seconds, count = new_id(), 0.0, 0
    async with opened(data_dir) as bench, _client(sandbox) as client:
        wal = await wal_bytes(bench)
        for stream, state in states.items():
            waiting: dict[str, list[Content]] = {}
            async for chunk in bulk.read_file(client, str(state.url), size=state.file_size):
                for name, row in _rows(stream, chunk.lines):
                    waiting.setdefault(name, []).append(row)
                for name in [name for name, rows in waiting.items() if len(rows) >= _BARE_ROWS]:
                    seconds += await _write_bare(bench, store_id, KINDS[name], waiting.pop(name))
                count += len(chunk.lines)
            for name, rows in waiting.items():
                seconds += await _write_bare(bench, store_id, KINDS[name], rows)
        return {"seconds": seconds, "read": count, "written": count, "wal": await wal_bytes(bench) - wal}


def _rows(stream: str, lines: Sequence[bytes]) -> Iterator[tuple[str, Content]]:
    for line in lines:
        name = kind_of(line, stream)
        if name in KINDS:
            kind, node = KINDS[name], decode(line, name)
            content = kind.content(node)
            yield name, (*content, kind.version(node), 0, content_hash(content))


async def _write_bare(bench: Bench, store_id: UUID, kind: Kind, rows: Sequence[Content]) -> float:
    """Seconds it took."""
    columns = [*kind.columns, "source_updated_at", "line_hash", "content_hash"]
    started = time.perf_counter()
    async with bench.runtime.database.writing(bench.actor.tenant_id) as session:
        staged = await create_staging(session, kind.relation, columns)
        await copy_rows(session, staged, columns, rows)
        await merge_rows(
            session,
            staged=staged,
            target=kind.relation,
            columns=columns,
            key=["store_id", *kind.key],
            fixed={"store_id": store_id, "synced_at": clock.now()},
        )
    return time.perf_counter() - started


Results = dict[str, list[dict[str, Any]]]


async def measure(options: argparse.Namespace) -> None:
    logs.configure(level="WARNING", pretty=None)
    rows: list[Sequence[object]] = []
    throttled = 0
    for size in options.sizes:
        results, refused = await measure_size(options, size)
        rows += table_rows(size, results)
        throttled += refused
    title = (
        f"{options.variants:g} variants a product, streams {', '.join(options.streams)}, path {options.path}, "
        f"median of {options.rounds}; {machine()}; {throttled} THROTTLED"
    )
    shown = print_table(title, COLUMNS, rows)
    if options.write_docs:
        write_between(PAGE, "pull", f"{title}\n\n{shown}")


async def measure_size(options: argparse.Namespace, size: int) -> tuple[Results, int]:
    """What was measured with a store of `size` products, and how often it refused a request."""
    arguments = ["--products", str(size), "--variants-per-product", str(options.variants), "--no-limits", "--port", "0"]
    results: Results = {}
    with tempfile.TemporaryDirectory(prefix="syncline-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - nothing else runs yet
        async with running_sandbox(arguments) as sandbox:
            states = await prepare_bulk(sandbox, options.streams)
            for round_ in range(options.rounds):
                for name, found in (await measure_round(options, Path(folder) / str(round_), sandbox, states)).items():
                    results.setdefault(name, []).append(found)
            async with httpx.AsyncClient() as http:
                throttled = (await http.get(f"{sandbox.url}/sandbox/stats")).json()["throttled"]
    return results, throttled


async def measure_round(
    options: argparse.Namespace, home: Path, sandbox: RunningSandbox, states: Mapping[str, bulk.BulkState]
) -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = {}
    async with opened(home) as bench:
        await connect_store(bench, sandbox)
        supervisor = _server_pid(home)
        arguments = ["--child", str(home), "--path", options.path, "--streams", ",".join(options.streams)]
        for name in (FULL, SECOND):
            before = Cpu.of(sandbox.pid), Cpu.of(supervisor)
            found = await child("bench.pull_store", *arguments)
            results[name] = {
                **found,
                "sandbox": Cpu.of(sandbox.pid).since(before[0]),
                "database": Cpu.of(supervisor).since(before[1]),
            }
        before_bare = Cpu.of(supervisor)
        bare = await bare_copy(home, sandbox, states)
        results[BARE] = {**bare, "database": Cpu.of(supervisor).since(before_bare)}
    shutil.rmtree(home, ignore_errors=True)
    return results


def _server_pid(home: Path) -> int:
    from syncline.runtime.db.server import ensure_server

    handle = ensure_server(home)
    try:
        return handle.supervisor_pid
    finally:
        handle.close()


def table_rows(size: int, results: Results) -> Iterator[Sequence[object]]:
    typical = {name: sorted(found, key=_seconds)[len(found) // 2] for name, found in results.items()}
    limit = max(map(_rate, results[BARE]))
    full = typical[FULL]["wal"]
    for name, found in typical.items():
        yield (
            size,
            name,
            found["read"],
            float(found["seconds"]),
            round(_rate(found)),
            f"{_rate(found) / limit:.2f}",
            f"{found['rss'] / 1e6:.0f} MB" if "rss" in found else "–",
            found["written"],
            f"{found['wal'] / 1e6:,.1f} MB",
            f"{found['wal'] / full:.2%}",
            *(f"{found[part]:.1f}" if part in found else "–" for part in ("cpu", "database", "sandbox")),
        )


def _seconds(found: dict[str, Any]) -> float:
    return float(found["seconds"])


def _rate(found: dict[str, Any]) -> float:
    return float(found["read"]) / float(found["seconds"])


def _numbers(words: str) -> list[int]:
    return [int(word) for word in words.split(",")]


def _names(words: str) -> list[str]:
    return words.split(",")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=_numbers, default=[10_000], help="numbers of products, with commas between")
    parser.add_argument("--streams", type=_names, default=["products", "inventory"])
    parser.add_argument("--variants", type=float, default=3.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--path", choices=["bulk", "paged"], default="bulk")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the command line has it
            print(json.dumps(runner.run(pull(options.child, options.path, options.streams))))
    else:
        asyncio.run(measure(options))


if __name__ == "__main__":
    main()
