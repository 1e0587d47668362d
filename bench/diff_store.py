"""How long it takes to find what differs from the mirror when one product in a hundred of a large store changed.

Two questions are measured, each in a process that does nothing else, on Syncline's own PostgreSQL with durability on:
a sheet of all products against the mirror, up to the staged changes, and the store's lines against the mirror.

Of a sheet the next chunk is read and written as a question while the database answers the last one, so the parts of the
time overlap and their sum is more than the whole.

Load model: a sandbox process with its limits off and its bulk results prepared; the mirror filled by one pull. The
sheets are what an export gives, with the price of one variant changed in every hundredth product; "prices only" keeps
the columns that name the row and the price. Then the same is changed in the store, which moves the lines of the variant
and of its product, whose content stays. "Hash look-up" reads the lines of the bulk file, finds those the mirror does
not hold as they are, and decodes them: the pull's own comparison, without writing and without the download. The pulls
are whole, with download, merge and reconciliation; an incremental one asks the store for what changed, so that Shopify
does the finding. Memory is the process's with all libraries; beside it stands what it had before the work.

    python -m bench.diff_store
    python -m bench.diff_store --products 2000 --only jsonl,look-up
    python -m bench.diff_store --products 100000 --write-docs
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psutil
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
from bench.pull_store import PAGE, prepare_bulk

from syncline.apps.commerce.contract import PullMode, PullPath, RunStatus
from syncline.apps.commerce.mirror import loading
from syncline.apps.commerce.mirror.lines import sort_lines
from syncline.apps.commerce.stores import service as stores
from syncline.apps.commerce.transfer import intake, repository
from syncline.apps.commerce.transfer.chunks import ChunkReader
from syncline.apps.commerce.transfer.matching import Matcher
from syncline.connectors.shopify import bulk
from syncline.connectors.shopify.client import ShopifyClient, ShopifyConfig
from syncline.main.sandbox_process import RunningSandbox, running_sandbox
from syncline.main.targets import APPS
from syncline.runtime.db.server import ensure_server
from syncline.runtime.jobs import Worker
from syncline.runtime.observe import logs

EVERY = 100
SHEETS = ("jsonl", "csv", "prices")
STORES = ("look-up", "incremental", "full")
WHAT = {
    "jsonl": "sheet, JSON Lines with everything",
    "csv": "sheet, CSV with everything",
    "prices": "sheet, CSV with prices only",
    "look-up": "store, hash look-up of every line",
    "incremental": "store, incremental pull, paged",
    "full": "store, full pull in bulk",
}
PARTS = {
    "read": "reading the file",
    "write": "writing the questions",
    "ask": "the database's answers",
    "find": "mirror's rows",
    "match": "matching rows",
    "stage": "staging",
}
COLUMNS = (
    *("what", "records", "changed", "seconds", "records/s", "peak RSS", "before the work", "CPU s: worker", "database"),
    "where the seconds are",
)
_KEYS = ("URL handle", "Option1 name", "Option1 value", "Option2 name", "Option2 value", "Option3 name")
_PRICED = (*_KEYS, "Option3 value", "Price")


def price_changed(price: str) -> str:
    return f"{Decimal(price) + 1:.2f}"


def change_jsonl(source: Path, target: Path) -> int:
    """Copies an export with the price of the first variant of every hundredth product changed; says how many."""
    changed = 0
    with source.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8") as out:
        for number, line in enumerate(lines):
            if number % EVERY:
                out.write(line)
                continue
            product = json.loads(line)
            product["variants"][0]["price"] = price_changed(product["variants"][0]["price"])
            out.write(json.dumps(product, ensure_ascii=False) + "\n")
            changed += 1
    return changed


def change_csv(source: Path, target: Path, columns: Sequence[str] | None) -> int:
    """The same for a table, with all columns or these."""
    changed, number, handle = 0, -1, None
    with source.open(encoding="utf-8", newline="") as read, target.open("w", encoding="utf-8", newline="") as written:
        rows = csv.DictReader(read)
        out = csv.DictWriter(written, columns or rows.fieldnames or (), extrasaction="ignore")
        out.writeheader()
        for row in rows:
            if row["URL handle"] != handle:
                handle, number = row["URL handle"], number + 1
                if number % EVERY == 0:
                    row["Price"], changed = price_changed(row["Price"]), changed + 1
            out.writerow(row)
    return changed


class Parts:
    """Seconds spent in some functions, which are replaced by ones that look at the clock."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, owner: Any, name: str, part: str) -> None:
        setattr(owner, name, self._timed(getattr(owner, name), part))

    def _timed(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        async def awaited(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return await function(*given, **named)
            finally:
                self._add(part, started)

        def called(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                self._add(part, started)

        return awaited if asyncio.iscoroutinefunction(function) else called

    def _add(self, part: str, started: float) -> None:
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - started


async def import_in_child(bench: Bench, path: str) -> dict[str, Any]:
    parts = Parts()
    parts.time(ChunkReader, "_chunk", "read")
    parts.time(intake, "question_of", "write")
    parts.time(repository, "find_unlike", "ask")
    parts.time(repository, "find_products", "find")
    parts.time(Matcher, "match", "match")
    parts.time(intake, "add_changes", "stage")
    started = time.perf_counter()
    result = await bench.commerce.import_sheet(actor=bench.actor, store=STORE, path=path)
    seconds = time.perf_counter() - started
    if result.errors:
        raise SystemExit(f"{result.errors} errors: {result.problems[:3]}")
    return {"seconds": seconds, "read": result.rows, "changed": result.staged, "parts": parts.seconds}


async def look_up_in_child(bench: Bench, address: str) -> dict[str, Any]:
    """`address` is the JSON of the sandbox's address and of the finished operation."""
    said = json.loads(address)
    read = changed = 0
    seconds = 0.0
    async with bench.runtime.database.reading(bench.actor.tenant_id) as session:
        row = await stores.get(session, STORE)
        async with ShopifyClient(ShopifyConfig(said["domain"], said["token"], base_url=said["base_url"])) as client:
            async for chunk in bulk.read_file(client, said["url"], size=said["size"]):
                started = time.perf_counter()
                sorted_ = sort_lines(chunk.lines, "products")
                fresh = await loading.look_up(session, row.store.id, sorted_)
                await loading.prepare(sorted_, fresh)
                seconds += time.perf_counter() - started
                read += len(chunk.lines)
                changed += sum(map(len, fresh.values()))
    return {"seconds": seconds, "read": read, "changed": changed}


async def pull_in_child(bench: Bench, mode: str) -> dict[str, Any]:
    stop = asyncio.Event()
    worker = Worker(bench.runtime.database, [job for app in APPS for job in app.jobs], runtime=bench.runtime)
    working = asyncio.create_task(worker.run(stop))
    path = PullPath.BULK if mode == PullMode.FULL else PullPath.PAGED
    run = await bench.commerce.start_pull(
        actor=bench.actor, store=STORE, mode=PullMode(mode), streams=["products"], path=path
    )
    while not run.status.is_final:
        await asyncio.sleep(0.02)
        run = await bench.commerce.get_pull(actor=bench.actor, run_id=run.id)
    stop.set()
    await working
    if run.status is not RunStatus.COMPLETED or run.started_at is None or run.finished_at is None:
        raise SystemExit(f"the pull did not complete: {run.error}")
    return {
        "seconds": (run.finished_at - run.started_at).total_seconds(),
        "read": sum(stream.read for stream in run.streams),
        "changed": sum(stream.inserted + stream.updated for stream in run.streams),
    }


async def in_child(what: str, data_dir: Path, argument: str) -> dict[str, Any]:
    work = {"look-up": look_up_in_child, "full": pull_in_child, "incremental": pull_in_child}.get(what, import_in_child)
    async with opened(data_dir) as bench:
        before, cpu = psutil.Process().memory_info().rss, time.process_time()
        with PeakMemory() as memory:
            found = await work(bench, argument)
        return {**found, "rss": memory.bytes, "before": before, "cpu": time.process_time() - cpu}


async def measure(options: argparse.Namespace) -> None:
    logs.configure(level="WARNING", pretty=None)
    results: dict[str, dict[str, Any]] = {}
    made = ["--products", str(options.products), "--variants-per-product", str(options.variants)]
    with tempfile.TemporaryDirectory(prefix="syncline-diff-", ignore_cleanup_errors=True) as temporary:
        os.chmod(temporary, 0o755)  # noqa: PTH101 - nothing else runs yet
        folder = Path(temporary)
        async with running_sandbox([*made, "--no-limits", "--port", "0"]) as sandbox, opened(folder / "home") as bench:
            await connect_store(bench, sandbox)
            await prepare_bulk(sandbox, ["products"])
            await _run(folder, "full", PullMode.FULL)
            for what in (one for one in options.only if one in SHEETS):
                path, changed = await _sheet(what, folder)
                results[what] = await _run(folder, what, str(path))
                _expect(results[what]["changed"], changed, what)
                path.unlink()
            if any(one in STORES for one in options.only):
                results |= await _of_store(options.only, sandbox, folder)
    rows = [_row(WHAT[what], results[what]) for what in WHAT if what in results]
    title = (
        f"{options.products:,} products of {options.variants:g} variants, every {EVERY}th with another price in one "
        f"variant, one round; {machine()}"
    )
    shown = print_table(title, COLUMNS, rows)
    if options.write_docs:
        write_between(PAGE, "diff", f"{title}\n\n{shown}")


async def _sheet(what: str, folder: Path) -> tuple[Path, int]:
    form = "jsonl" if what == "jsonl" else "csv"
    source, target = folder / f"exported.{form}", folder / f"{what}.{form}"
    if not source.exists():
        await child("bench.export_store", "--child", "export", str(folder / "home"), str(source))
    if what == "jsonl":
        return target, change_jsonl(source, target)
    return target, change_csv(source, target, _PRICED if what == "prices" else None)


async def _of_store(wanted: Sequence[str], sandbox: RunningSandbox, folder: Path) -> dict[str, dict[str, Any]]:
    """In this order, for a pull takes in what it finds; before the last one as many others are changed."""
    results: dict[str, dict[str, Any]] = {}
    changed = await _change_store(sandbox, 0)
    if "look-up" in wanted:
        state = (await prepare_bulk(sandbox, ["products"]))["products"]
        said: dict[str, Any] = {"domain": sandbox.shop_domain, "token": sandbox.token, "base_url": sandbox.url}
        said |= {"url": state.url, "size": state.file_size}
        results["look-up"] = await _run(folder, "look-up", json.dumps(said))
        _expect(results["look-up"]["changed"], 2 * changed, "look-up")
    if "incremental" in wanted:
        results["incremental"] = await _run(folder, "incremental", PullMode.INCREMENTAL)
        _expect(results["incremental"]["changed"], changed, "incremental")
        changed = await _change_store(sandbox, 1)
    if "full" in wanted:
        await prepare_bulk(sandbox, ["products"])
        results["full"] = await _run(folder, "full", PullMode.FULL)
        _expect(results["full"]["changed"], changed, "full")
    return results


async def _change_store(sandbox: RunningSandbox, start: int) -> int:
    """Another price for the first variant of every hundredth product, from product `start`; says how many."""
    changed = 0
    async with httpx.AsyncClient(base_url=sandbox.url, timeout=60) as http:
        lines = (await http.get("/sandbox/state/variants")).text.split("\n")
        first: dict[int, tuple[int, str]] = {}
        for row in map(json.loads, filter(None, lines)):
            first.setdefault(row["product_id"], (row["id"], row["price"]))
        for number, price in list(first.values())[start::EVERY]:
            edit = {"action": "update", "kind": "variant", "id": number, "set": {"price": price_changed(price)}}
            (await http.post("/sandbox/edit", json=edit)).raise_for_status()
            changed += 1
    return changed


async def _run(folder: Path, what: str, argument: str) -> dict[str, Any]:
    server = ensure_server(folder / "home")
    before = Cpu.of(server.supervisor_pid)
    found = await child("bench.diff_store", "--child", what, str(folder / "home"), argument)
    found["database"] = Cpu.of(server.supervisor_pid).since(before)
    server.close()
    return found


def _expect(found: int, wanted: int, what: str) -> None:
    if found != wanted:
        raise SystemExit(f"{WHAT[what]}: {found:,} changes were found where {wanted:,} were made")


def _row(what: str, found: dict[str, Any]) -> Sequence[object]:
    seconds = float(found["seconds"])
    parts = {PARTS[part]: spent for part, spent in found.get("parts", {}).items()}
    return (
        *(what, found["read"], found["changed"], seconds, round(found["read"] / seconds)),
        *(f"{found[one] / 1e6:.0f} MB" for one in ("rss", "before")),
        *(f"{found[one]:.1f}" for one in ("cpu", "database")),
        ", ".join(f"{part} {spent / seconds:.0%}" for part, spent in parts.items()) or "–",
    )


def main() -> None:
    names = [*SHEETS, *STORES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--variants", type=float, default=3.5)
    parser.add_argument("--only", type=lambda words: words.split(","), default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--child", nargs=3, metavar=("WHAT", "HOME", "ARGUMENT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, home, argument = options.child
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the command line has it
            print(json.dumps(runner.run(in_child(what, Path(home), argument))))
        return
    if unknown := set(options.only) - set(names):
        parser.error(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(names)}.")
    asyncio.run(measure(options))


if __name__ == "__main__":
    main()
