"""How long somebody waits who wants to see what a bulk edit would do, and how much memory that takes.

Load model: one store in a sandbox process, mirrored beforehand, limits off. Four operations are previewed, each of all
products, then each is asked for by a search that finds one product in a hundred; then one is staged, all of it in one
transaction. A preview counts every change to the last and shows the first hundred; it writes nothing.

    python -m bench.preview_edit [--products 100000] [--write-docs]
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.harness import STORE, Bench, PeakMemory, connect_store, machine, opened, print_table, write_between
from bench.push_cost import pull

from syncline.apps.commerce.batch_contract import BatchOperation, BatchRequest
from syncline.main.sandbox_process import running_sandbox

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
COLUMNS = ("what", "of", "products", "changes", "seconds", "products/s", "peak RSS")
OPERATIONS: Sequence[tuple[BatchOperation, Mapping[str, Any]]] = (
    (BatchOperation.PRICE, {"price": {"percent": "10", "ending": ".99"}}),
    (BatchOperation.TAGS, {"add": ["sale"], "remove": ["old"]}),
    (BatchOperation.STATUS, {"status": "archived"}),
    (BatchOperation.SEO, {"description": "Made to last."}),
)


async def preview(bench: Bench, operation: BatchOperation, updates: Mapping[str, Any], where: str) -> Sequence[object]:
    request = BatchRequest(store=STORE, operation=operation, updates=updates, where=where)
    began = time.monotonic()
    with PeakMemory() as memory:
        found = await bench.commerce.preview_batch(actor=bench.actor, request=request)
    seconds = time.monotonic() - began
    return (
        *(f"preview {operation.value}", where or "all", found.products, found.staged, f"{seconds:.2f}"),
        *(round(found.products / seconds), f"{memory.bytes / 1e6:.0f} MB"),
    )


async def stage(bench: Bench) -> Sequence[object]:
    began = time.monotonic()
    with PeakMemory() as memory:
        batch = await bench.commerce.stage_edit(actor=bench.actor, store=STORE, where="", edits=["price=+10%~.99"])
    seconds = time.monotonic() - began
    return (
        *("stage price", "all", "", sum(batch.counts.values()), f"{seconds:.2f}", "", f"{memory.bytes / 1e6:.0f} MB"),
    )


async def measure(options: argparse.Namespace) -> None:
    made = ["--products", str(options.products), "--port", "0", "--no-limits"]
    folder = Path(tempfile.mkdtemp(prefix="syncline-preview-"))
    rows: list[Sequence[object]] = []
    try:
        async with running_sandbox(made) as sandbox, opened(folder) as bench:
            await connect_store(bench, sandbox)
            await pull(bench)
            for operation, updates in OPERATIONS:
                rows.append(await preview(bench, operation, updates, ""))
            first = 7_000_000_000_000 + options.products // 100
            for operation, updates in OPERATIONS:
                rows.append(await preview(bench, operation, updates, f"id:<={first}"))
            rows.append(await stage(bench))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    title = f"{options.products:,} products, one process. {machine()}"
    shown = print_table(title, COLUMNS, rows)
    if options.write_docs:
        write_between(PAGE, "preview-edit", f"{title}\n\n{shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--write-docs", action="store_true")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
