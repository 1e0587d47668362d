"""Small and large stores on each plan, paged and in bulk, against what the rate limit allows at best.

Load model: one sandbox process for each pull, limits on; one worker process; Syncline's own PostgreSQL with durability
on. The records are products, variants, locations and stock levels. Paged pulls mostly wait for points, so those of
the plans in --together run at the same time, each with a sandbox, a database and a worker of its own; all else runs
alone. Bulk results are prepared beforehand: Shopify publishes no speed of bulk operations, and the sandbox's is not it.
Shopify pages through 25,000 objects of a list at most: where a location has more levels, the paged row pages the
products and then has the stock levels in bulk, and says so.

Time is that of the pulls themselves. At best is (points charged - full bucket) / points restored a second. Each result
is added to --results as it comes; what stands there is not measured again, so that a long run can be continued, and the
table is made of all that stands there.

    python -m bench.store_sizes --sizes 1000
    python -m bench.store_sizes --sizes 1000,10000 --plans standard,plus --paths bulk
    python -m bench.store_sizes --write-docs
    python -m bench.store_sizes --sizes "" --results standard.json,plus.json --write-docs
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from bench.harness import Cpu, child, connect_store, machine, opened, print_table, write_between
from bench.pull_store import PAGE, prepare_bulk

from syncline.connectors.shopify import planner
from syncline.connectors.shopify.streams import STREAMS
from syncline.main.sandbox_process import RunningSandbox, running_sandbox
from syncline.runtime.connect.bucket import Bucket
from syncline.runtime.db.server import ensure_server
from syncline.runtime.observe import logs

SIZES, PLANS, PATHS = (1_000, 10_000, 50_000, 100_000), ("standard", "advanced", "plus"), ("paged", "bulk")
NAMES = ("products", "inventory")
EARLIER = {
    1_000: "3 min, 120 MB",
    10_000: "18 min, 480 MB",
    50_000: "52 min, 1.2 GB",
    100_000: "105 min, 2.1 GB",
}
"""The earlier system by number of products, as it was published for it; not measured here."""
RESULTS = Path(__file__).parent / "results" / "store_sizes.json"
MOST_PAGED = 25_000
COLUMNS = (
    *("products", "plan", "path", "records", "seconds", "records/s", "peak RSS", "points foretold", "points charged"),
    *("at best s", "of the best", "THROTTLED", "CPU s: worker", "database", "sandbox", "earlier system"),
)


async def measure(options: argparse.Namespace) -> None:
    logs.configure(level="WARNING", pretty=None)
    options.results[0].parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="syncline-sizes-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - nothing else runs yet
        for size in options.sizes:
            for group in turns(options):
                missing = [
                    (plan, path) for plan, path in group if _name(options, size, plan, path) not in read(options)
                ]
                async with asyncio.TaskGroup() as running:
                    for plan, path in missing:
                        home = Path(folder) / f"{size}-{plan}-{path}"
                        running.create_task(_measure_into(options, size, plan, path, home))
    text = show(options)
    if options.write_docs:
        write_between(PAGE, "store-sizes", text)


def turns(options: argparse.Namespace) -> Iterator[list[tuple[str, str]]]:
    """Plans and paths, those in one list at the same time."""
    for path in options.paths:
        together = [plan for plan in options.plans if path == "paged" and plan in options.together]
        if together:
            yield [(plan, path) for plan in together]
        yield from ([(plan, path)] for plan in options.plans if plan not in together)


async def _measure_into(options: argparse.Namespace, size: int, plan: str, path: str, home: Path) -> None:
    found = await measure_one(options, size, plan, path, home)
    name = _name(options, size, plan, path)
    found |= {"size": size, "plan": plan, "path": path, "machine": machine()}
    options.results[0].write_text(json.dumps({**_read(options.results[0]), name: found}, indent=1))
    print(f"{name}: {found['seconds']:.1f} s, {found['points']:g} points", flush=True)


async def measure_one(options: argparse.Namespace, size: int, plan: str, path: str, home: Path) -> dict[str, Any]:
    async with _sandbox(options, size, plan) as (sandbox, http):
        if path == "bulk":
            await prepare_bulk(sandbox, NAMES)
        sizes = (await http.get("/sandbox/state")).json()
        is_pageable = await _is_pageable(http)
        steps: list[tuple[str, Sequence[str]]] = [(path, NAMES)]
        if path == "paged" and not is_pageable:
            steps = [("paged", ("products",)), ("bulk", ("inventory",))]
            await prepare_bulk(sandbox, ("inventory",))
        async with opened(home) as bench:
            await connect_store(bench, sandbox)
            server = ensure_server(home)
            pids = sandbox.pid, server.supervisor_pid
            await http.delete("/sandbox/stats")
            before = [Cpu.of(pid) for pid in pids]
            results = [await _pull(home, *step) for step in steps]
            used = [Cpu.of(pid).since(was) for pid, was in zip(pids, before, strict=True)]
            stats = (await http.get("/sandbox/stats")).json()
            server.close()
    shutil.rmtree(home, ignore_errors=True)
    paged = [name for step, names in steps if step == "paged" for name in names]
    return {
        "steps": [{"path": step, "streams": names} for step, names in steps],
        "seconds": sum(one["seconds"] for one in results),
        "paged_seconds": sum(one["seconds"] for one, (step, _) in zip(results, steps, strict=True) if step == "paged"),
        "read": sum(one["read"] for one in results),
        "rss": max(one["rss"] for one in results),
        "cpu": sum(one["cpu"] for one in results),
        "sandbox": used[0],
        "database": used[1],
        "foretold": foretold(paged, sizes),
        "points": stats["bucket"]["charged"],
        "bucket": stats["bucket"]["maximumAvailable"],
        "rate": stats["bucket"]["restoreRate"],
        "throttled": stats["throttled"],
    }


@asynccontextmanager
async def _sandbox(
    options: argparse.Namespace, size: int, plan: str
) -> AsyncIterator[tuple[RunningSandbox, httpx.AsyncClient]]:
    made = ["--products", str(size), "--variants-per-product", str(options.variants), "--plan", plan, "--port", "0"]
    async with running_sandbox(made) as sandbox, httpx.AsyncClient(base_url=sandbox.url, timeout=120) as http:
        yield sandbox, http


async def _is_pageable(http: httpx.AsyncClient) -> bool:
    """Whether every location has few enough levels to be paged through."""
    by_location: dict[int, int] = {}
    async with http.stream("GET", "/sandbox/state/levels") as answer:
        async for line in answer.aiter_lines():
            if line:
                location = json.loads(line)["location_id"]
                by_location[location] = by_location.get(location, 0) + 1
    return max(by_location.values(), default=0) <= MOST_PAGED


async def _pull(home: Path, path: str, names: Sequence[str]) -> dict[str, Any]:
    arguments = ["--child", str(home), "--path", path, "--streams", ",".join(names)]
    return await child("bench.pull_store", *arguments)


def foretold(names: Sequence[str], sizes: Mapping[str, int]) -> float:
    """The points that the pull's own planner foretells for paging these streams."""
    counts = {"product": "products", "variant": "variants", "location": "locations", "inventory_level": "levels"}
    known: dict[str, int | None] = {kind: sizes[table] for kind, table in counts.items()}
    empty = Bucket(capacity=1.0, restore_rate=1.0, level=0.0, at=0.0)
    return sum(
        planner.predict(STREAMS[name], known, bucket=empty, locations=sizes["locations"]).points for name in names
    )


def read(options: argparse.Namespace) -> dict[str, Any]:
    return {name: found for path in options.results for name, found in _read(path).items()}


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def show(options: argparse.Namespace) -> str:
    """The table of everything that stands in the results, and of what was left out."""
    results = read(options)
    rows = [
        _row(size, plan, path, results.get(_name(options, size, plan, path)))
        for size in SIZES
        for plan in PLANS
        for path in PATHS
    ]
    standard = {(size, plan, path) for size in SIZES for plan in PLANS for path in PATHS}
    others = [one for one in results.values() if (one["size"], one["plan"], one["path"]) not in standard]
    rows += [_row(one["size"], one["plan"], one["path"], one) for one in others]
    machines = sorted({one["machine"] for one in results.values()}) or [machine()]
    title = (
        f"{options.variants:g} variants a product, paged pulls of {', '.join(options.together)} at the same time; "
        f"{'; '.join(machines)}. The earlier system's figures are those published for it"
    )
    return f"{title}\n\n{print_table(title, COLUMNS, rows)}"


def _row(size: int, plan: str, path: str, found: Mapping[str, Any] | None) -> Sequence[object]:
    earlier = EARLIER.get(size, "–")
    if found is None:
        return (size, plan, path, "not run", *["–"] * (len(COLUMNS) - 5), earlier)
    best = max(0.0, (found["points"] - found["bucket"]) / found["rate"])
    is_mixed = len(found["steps"]) > 1
    return (
        *(size, plan, f"{path}, levels in bulk" if is_mixed else path, found["read"], float(found["seconds"])),
        *(round(found["read"] / found["seconds"]), f"{found['rss'] / 1e6:.0f} MB", round(found["foretold"])),
        *(round(found["points"]), f"{best:.0f}"),
        f"{found['paged_seconds'] / best:.2f}" if best >= 1 and found["paged_seconds"] else "–",
        *(found["throttled"], *(f"{found[part]:.1f}" for part in ("cpu", "database", "sandbox")), earlier),
    )


def _name(options: argparse.Namespace, size: int, plan: str, path: str) -> str:
    return f"{size} products x {options.variants:g}, {plan}, {path}"


def _numbers(words: str) -> list[int]:
    return [int(word) for word in words.split(",") if word]


def _names(words: str) -> list[str]:
    return [word for word in words.split(",") if word]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=_numbers, default=list(SIZES), help="numbers of products, with commas between")
    parser.add_argument("--plans", type=_names, default=list(PLANS))
    parser.add_argument("--paths", type=_names, default=list(PATHS))
    parser.add_argument(
        "--together", type=_names, default=["standard", "advanced"], help="plans paged at the same time"
    )
    parser.add_argument("--variants", type=float, default=3.5)
    parser.add_argument(
        "--results",
        type=lambda words: [Path(word) for word in words.split(",")],
        default=[RESULTS],
        help="where results are added (delete it to begin anew); with commas behind it others to make the table of",
    )
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    asyncio.run(measure(options))


if __name__ == "__main__":
    main()
