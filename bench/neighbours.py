"""Whether a tenant of 100,000 rows slows its neighbour down.

    python -m bench.neighbours [--rows 100000] [--seconds 36] [--write-docs]

Every list that a tenant has without naming a store or a batch is asked by an empty tenant: alone in the database, and
once more, which shows what the machine varies by itself; beside a tenant with so many staged changes, when the
database has vacuumed and written them out; and while that one reads its own lists without a pause. Goal: beside it,
p95 within 1.2 times of alone, of which the mean of both is taken.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
from bench.auth_read import sign_in
from bench.harness import machine, print_table, write_between
from bench.load import Latencies, Load, connected, request
from bench.web_process import running_site

from syncline.main.testing.document import operations

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
GOAL = 1.2
BUSY_CLIENTS = 4
# Not lists of rows, or without an end.
LEFT_OUT = frozenset({"/api/audit/export", "/api/audit/verification", "/bench/known"})

STORE: LiteralString = """
    INSERT INTO commerce.store
        (id, tenant_id, name, shop_domain, token_sealed, api_version, shop_name, currency, plan, scopes, created_at)
    VALUES (%(store)s, %(tenant)s, 'big', 'big', '', '2026-10', '', 'EUR', '', '{}', now())
"""
CHANGES: LiteralString = """
    INSERT INTO commerce.staged_change
        (id, tenant_id, batch_id, store_id, kind, resource_id, product_id, label, before, after, status, author,
         attempt, created_at)
    SELECT gen_random_uuid(), %(tenant)s, %(store)s, %(store)s, 'product', n, n, 'Product ' || n, '{"vendor":"a"}',
           '{"vendor":"b"}', 'pending', 'somebody', 0, now()
    FROM generate_series(1, %(rows)s) n
"""


async def lists_of(site: Mapping[str, Any]) -> list[str]:
    async with httpx.AsyncClient(base_url=site["url"]) as client:
        document = (await client.get("/openapi.json")).json()
    return [
        one.path
        for one in operations(document)
        if one.method == "GET" and one.permission and not (one.places or one.is_stream or one.path in LEFT_OUT)
    ]


def fill(site: Mapping[str, Any], rows: int) -> None:
    values = {"tenant": site["tenant"], "store": site["tenant"], "rows": rows}
    with psycopg.connect(site["operator_url"], autocommit=True) as operator:
        operator.execute(STORE, values)
        operator.execute(CHANGES, values)
        operator.execute("VACUUM (ANALYZE)")
        operator.execute("CHECKPOINT")


async def measure(load: Load, paths: list[str], bearer: str, seconds: float) -> dict[str, Latencies]:
    headers = {"Authorization": f"Bearer {bearer}"}
    await load.closed_loop([request(path, headers=headers) for path in paths], seconds=1)
    return {
        path: await load.closed_loop([request(path, headers=headers)], seconds=seconds / len(paths)) for path in paths
    }


async def main(rows: int, seconds: float, *, write_docs: bool) -> None:
    async with running_site() as site, connected(site["url"], 1) as quiet:
        paths, empty = await lists_of(site), await sign_in(site)
        alone = await measure(quiet, paths, empty, seconds)
        again = await measure(quiet, paths, empty, seconds)
        await asyncio.to_thread(fill, site, rows)
        beside = await measure(quiet, paths, empty, seconds)
        async with connected(site["url"], BUSY_CLIENTS) as busy:
            headers = {"Authorization": f"Bearer {site['key']}"}
            reading = busy.closed_loop([request(path, headers=headers) for path in paths], seconds=seconds + 1)
            noise = asyncio.create_task(reading)
            while_read = await measure(quiet, paths, empty, seconds)
            await noise
    table = [
        (
            f"`GET {path}`",
            alone[path].ms(0.95),
            again[path].ms(0.95),
            beside[path].ms(0.95),
            2 * beside[path].ms(0.95) / (alone[path].ms(0.95) + again[path].ms(0.95)),
            while_read[path].ms(0.95),
        )
        for path in paths
    ]
    columns = ["the empty tenant's list", "alone, p95 ms", "again", "beside it", "ratio", "while it reads"]
    caption = f"beside a tenant of {rows:,} staged changes, which then reads with {BUSY_CLIENTS} clients; {machine()}"
    text = print_table(caption, columns, table)
    worst = max(float(row[4]) for row in table)
    print(f"worst ratio {worst:.2f}, goal {GOAL}")
    if write_docs:
        write_between(PAGE, "neighbours", f"{caption}\n\n{text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=36)
    parser.add_argument("--write-docs", action="store_true")
    told = parser.parse_args()
    asyncio.run(main(told.rows, told.seconds, write_docs=told.write_docs))
