"""What a limit costs a request: counting in this process, and in a Redis of its own on the same machine.

    python -m bench.limits [--rounds 20000] [--at-once 50] [--write-docs]

Prints microseconds of one count (window and bucket), one after the other and many at once.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from bench.harness import machine, print_table, write_between

from syncline.runtime.limits.counting import CountStore
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import Rate
from syncline.runtime.limits.redis_counts import RedisCounts
from syncline.runtime.limits.testing import RedisServer

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "limits.md"
RATES = {
    "window": Rate(6_000, timedelta(minutes=15)),
    "bucket": Rate(1_000, timedelta(minutes=1), 50),
}
SUBJECTS = 500


@contextmanager
def a_redis() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="syncline-redis-"))
    server = RedisServer(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(folder)


async def one_by_one(counts: CountStore, rate: Rate, rounds: int) -> list[float]:
    taken = []
    for number in range(rounds):
        began = time.perf_counter()
        await counts.take(f"{rate}-{number % SUBJECTS}", rate)
        taken.append((time.perf_counter() - began) * 1e6)
    return sorted(taken)


async def at_once(counts: CountStore, rate: Rate, rounds: int, clients: int) -> float:
    """Counts a second of `clients` that ask without a pause."""

    async def client(own: int) -> None:
        for number in range(rounds // clients):
            await counts.take(f"{rate}-{(own + number) % SUBJECTS}", rate)

    began = time.perf_counter()
    await asyncio.gather(*(client(own) for own in range(clients)))
    return rounds / (time.perf_counter() - began)


async def measure(name: str, counts: CountStore, rounds: int, clients: int) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for form, rate in RATES.items():
        taken = await one_by_one(counts, rate, rounds)
        per_second = await at_once(counts, rate, rounds, clients)
        p50, p95, p99 = (taken[int(len(taken) * part)] for part in (0.5, 0.95, 0.99))
        rows.append((name, form, statistics.fmean(taken), p50, p95, p99, per_second))
    await counts.close()
    return rows


async def main(rounds: int, clients: int, *, write_docs: bool) -> None:
    rows = await measure("this process", MemoryCounts(), rounds, clients)
    with a_redis() as url:
        rows += await measure("Redis", RedisCounts(url), rounds, clients)
    columns = ["counted in", "form", "mean µs", "p50 µs", "p95 µs", "p99 µs", f"counts/s, {clients} at once"]
    caption = f"{rounds:,} counts of {SUBJECTS} callers, one after the other; {machine()}"
    text = print_table(caption, columns, rows)
    if write_docs:
        write_between(PAGE, "limits-cost", f"{caption}\n\n{text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--write-docs", action="store_true")
    told = parser.parse_args()
    asyncio.run(main(told.rounds, told.at_once, write_docs=told.write_docs))
