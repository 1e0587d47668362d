"""How fast orders and customers come in: full, and again unchanged.

Load model: one store in a sandbox process on the same machine, its limits off, its bulk results prepared beforehand;
one worker process; Syncline's own PostgreSQL with durability on. The records are orders, their lines, and customers;
refunds, fulfilments, transactions and addresses lie in their records' lines and are written too, but not counted. Time
is the pull's own, from its start to the end of its reconciliation.

    python -m bench.sales
    python -m bench.sales --orders 2000 --customers 1000 --rounds 1
    python -m bench.sales --path paged --orders 20000 --customers 10000 --write-docs
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from bench.harness import Cpu, child, connect_store, machine, opened, print_table, write_between
from bench.pull_store import FULL, PAGE, SECOND, prepare_bulk

from syncline.main.sandbox_process import RunningSandbox, running_sandbox
from syncline.runtime.db.server import ensure_server
from syncline.runtime.observe import logs

NAMES = ("orders", "customers")
COLUMNS = (
    *("what", "records", "seconds", "records/s", "peak RSS", "rows written", "WAL", "of the full pull's"),
    *("CPU s: worker", "database", "sandbox"),
)
Results = dict[str, list[dict[str, Any]]]


async def measure(options: argparse.Namespace) -> None:
    logs.configure(level="WARNING", pretty=None)
    results: Results = {FULL: [], SECOND: []}
    with tempfile.TemporaryDirectory(prefix="syncline-sales-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - nothing else runs yet
        made = ["--products", str(options.products), "--orders", str(options.orders)]
        made += ["--customers", str(options.customers), "--no-limits", "--port", "0"]
        async with running_sandbox(made) as sandbox, httpx.AsyncClient(base_url=sandbox.url) as http:
            sizes = (await http.get("/sandbox/state")).json()
            if options.path == "bulk":
                await prepare_bulk(sandbox, NAMES)
            for round_ in range(options.rounds):
                home = Path(folder) / str(round_)
                await _measure_round(options.path, home, sandbox, results)
                shutil.rmtree(home, ignore_errors=True)
    title = (
        f"{sizes['orders']:,} orders of {sizes['lines']:,} lines and {sizes['customers']:,} customers, path "
        f"{options.path}, median of {options.rounds}; {machine()}"
    )
    shown = print_table(title, COLUMNS, list(rows_of(results)))
    if options.write_docs:
        write_between(PAGE, "sales", f"{title}\n\n{shown}")


async def _measure_round(path: str, home: Path, sandbox: RunningSandbox, results: Results) -> None:
    async with opened(home) as bench:
        await connect_store(bench, sandbox)
        server = ensure_server(home)
        for what, found in results.items():
            before = Cpu.of(sandbox.pid), Cpu.of(server.supervisor_pid)
            arguments = ["--child", str(home), "--path", path, "--streams", ",".join(NAMES)]
            one = await child("bench.pull_store", *arguments)
            one["sandbox"] = Cpu.of(sandbox.pid).since(before[0])
            one["database"] = Cpu.of(server.supervisor_pid).since(before[1])
            found.append(one)
            print(f"{what}: {one['seconds']:.1f} s", flush=True)
        server.close()


def rows_of(results: Results) -> Iterator[Sequence[object]]:
    typical = {what: sorted(found, key=_seconds)[len(found) // 2] for what, found in results.items()}
    full = typical[FULL]["wal"]
    for what, one in typical.items():
        yield (
            *(what, one["read"], _seconds(one), round(one["read"] / _seconds(one)), f"{one['rss'] / 1e6:.0f} MB"),
            *(one["written"], f"{one['wal'] / 1e6:,.1f} MB", f"{one['wal'] / full:.2%}"),
            *(f"{one[part]:.1f}" for part in ("cpu", "database", "sandbox")),
        )


def _seconds(one: dict[str, Any]) -> float:
    return float(one["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--products", type=int, default=2_000, help="what the orders are about; not pulled")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--path", choices=["bulk", "paged"], default="bulk")
    parser.add_argument("--write-docs", action="store_true")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
