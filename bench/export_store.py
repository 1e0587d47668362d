"""How fast a store goes out to a file and comes back, and in how much memory, for each kind of file.

Load model: a mirror filled by SQL with products of four variants, a description of 500 characters, five tags and one
stock level each; one process for each file, which does nothing else; Syncline's own PostgreSQL. Memory is the most
resident memory of that process, libraries and all. An import compares every row and stages nothing.

    python -m bench.export_store [--rows 1000000] [--formats csv] [--no-import] [--most-mb 300] [--write-docs]

Ends with an error when any of the processes took more memory than `--most-mb`. A million rows of CSV take some minutes,
the filling of the mirror among them; each other kind of file (jsonl, json, parquet, xlsx) takes its own time on top.
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

from bench.harness import STORE, Bench, PeakMemory, child, machine, opened, print_table, write_between
from sqlalchemy import text

from syncline.apps.commerce.stores import repository as stores
from syncline.runtime.observe import logs

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
SIZES = 4

_FILL = (
    """
    INSERT INTO commerce.product (store_id, id, tenant_id, handle, title, description_html, vendor, product_type,
        status, tags, is_gift_card, options, variants_count, created_at, line_hash, content_hash, synced_at)
    SELECT :store, n, :tenant, 'product-' || n, 'Product “' || n || '”', repeat('<p>It is good. </p>' || chr(10), 25),
        'Vendor ' || n % 50, 'Type ' || n % 9, 'active', ARRAY['a', 'b', 'sale', 'new', 'tag ' || n % 100], false,
        '[{"name":"Size","values":["0","1","2","3"]}]', :sizes, now(), 0, 0, now()
    FROM generate_series(0, :products - 1) AS n
    """,
    """
    INSERT INTO commerce.variant (store_id, id, tenant_id, product_id, title, sku, barcode, price, compare_at_price,
        position, taxable, inventory_policy, selected_options, inventory_item_id, tracked, requires_shipping, cost,
        weight, weight_unit, created_at, line_hash, content_hash, synced_at)
    SELECT :store, n, :tenant, n / :sizes, (n % :sizes)::text, 'SKU-' || n, lpad(n::text, 13, '0'),
        (n % 10000) / 100.0 + 1, NULL, n % :sizes + 1, true, 'deny',
        json_build_array(json_build_object('name', 'Size', 'value', (n % :sizes)::text)), n, true, true, 2.5, 0.6,
        'kilograms', now(), 0, 0, now()
    FROM generate_series(0, CAST(:products AS integer) * :sizes - 1) AS n
    """,
    """
    INSERT INTO commerce.location (store_id, id, tenant_id, name, is_active, line_hash, content_hash, synced_at)
    VALUES (:store, 1, :tenant, 'Main warehouse', true, 0, 0, now())
    """,
    """
    INSERT INTO commerce.inventory_level (store_id, inventory_item_id, location_id, tenant_id, available, on_hand,
        committed, incoming, line_hash, content_hash, synced_at)
    SELECT :store, n, 1, :tenant, n % 90, n % 90, 0, 0, 0, 0, now()
    FROM generate_series(0, CAST(:products AS integer) * :sizes - 1) AS n
    """,
)


async def fill(bench: Bench, rows: int) -> None:
    """A mirror of `rows` variants, of a shop that nobody ever asks."""
    values: dict[str, Any] = {
        "name": STORE,
        "shop_domain": f"{STORE}.myshopify.com",
        "base_url": None,
        "api_version": "2026-10",
        "shop_name": "Bench",
        "currency": "USD",
        "plan": "Basic",
        "scopes": [],
    }
    async with bench.runtime.database.writing(bench.actor.tenant_id) as session:
        row = await stores.add(session, token_sealed=b"", values=values)
        given = {"store": row.store.id, "tenant": UUID(str(bench.actor.tenant_id))}
        for statement in _FILL:
            mentioned = {"products": rows // SIZES, "sizes": SIZES} if ":products" in statement else {}
            await session.execute(text(statement), {**given, **mentioned})


async def export(data_dir: Path, path: Path) -> dict[str, Any]:
    """One export in this process; run as a child."""
    async with opened(data_dir) as bench:
        started = time.perf_counter()
        with PeakMemory() as memory, path.open("wb") as file:
            result = await bench.commerce.export_store(
                actor=bench.actor, store=STORE, file=file, format=path.suffix.removeprefix(".")
            )
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "rows": result.rows, "rss": memory.bytes}


async def take_in(data_dir: Path, path: Path) -> dict[str, Any]:
    """One import in this process; run as a child."""
    async with opened(data_dir) as bench:
        started = time.perf_counter()
        with PeakMemory() as memory:
            result = await bench.commerce.import_sheet(actor=bench.actor, store=STORE, path=str(path))
        if result.staged or result.errors:
            raise SystemExit(f"{result.staged} changes and {result.errors} errors; there should be none")
        return {"seconds": time.perf_counter() - started, "rss": memory.bytes}


async def measure(options: argparse.Namespace) -> None:
    logs.configure(level="WARNING", pretty=None)
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory(prefix="syncline-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - nothing else runs yet
        home = Path(folder) / "home"
        async with opened(home) as bench:
            await fill(bench, options.rows)
            for form in options.formats.split(","):
                path = Path(folder) / f"store.{form}"
                out = await child("bench.export_store", "--child", "export", str(home), str(path))
                back = (
                    await child("bench.export_store", "--child", "import", str(home), str(path))
                    if options.take_in
                    else {}
                )
                rows.append(_row(form, options.rows, path.stat().st_size, out, back))
                path.unlink()
    title = f"{options.rows:,} rows, a variant each, of {options.rows // SIZES:,} products, one round; {machine()}"
    columns = ("file", "MB", "export s", "variants/s", "MB memory", "import s", "variants/s", "MB memory")
    shown = print_table(title, columns, rows)
    most = max(float(str(row[column])) for row in rows for column in (4, 7) if row[column] != "–")
    if most > options.most_mb:
        raise SystemExit(f"{most:.0f} MB of memory is more than {options.most_mb} MB")
    if options.write_docs:
        write_between(PAGE, "export", f"{title}\n\n{shown}")


def _row(form: str, rows: int, size: int, out: dict[str, Any], back: dict[str, Any]) -> list[object]:
    told: list[object] = [form, size / 1e6, out["seconds"], round(rows / out["seconds"]), out["rss"] / 1e6]
    if not back:
        return [*told, "–", "–", "–"]
    return [*told, back["seconds"], round(rows / back["seconds"]), back["rss"] / 1e6]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--formats", default="csv", help="csv,jsonl,json,parquet,xlsx")
    parser.add_argument("--most-mb", type=int, default=300)
    parser.add_argument("--no-import", dest="take_in", action="store_false")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--child", nargs=3, metavar=("WHAT", "HOME", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, home, path = options.child
        work = export if what == "export" else take_in
        print(json.dumps(asyncio.run(work(Path(home), Path(path)))))
    else:
        asyncio.run(measure(options))


if __name__ == "__main__":
    main()
