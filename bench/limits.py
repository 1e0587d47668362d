"""What a limit costs a request: counting in this process, and in a Redis of its own on the same machine.

    python bench/limits.py [--rounds 20000] [--at-once 50]

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

from syncline.runtime.limits.counting import CountStore
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import Rate
from syncline.runtime.limits.redis_counts import RedisCounts
from syncline.runtime.limits.testing import RedisServer

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


async def measure(name: str, counts: CountStore, rounds: int, clients: int) -> None:
    for form, rate in RATES.items():
        taken = await one_by_one(counts, rate, rounds)
        per_second = await at_once(counts, rate, rounds, clients)
        p50, p95, p99 = (taken[int(len(taken) * part)] for part in (0.5, 0.95, 0.99))
        mean = statistics.fmean(taken)
        print(f"{name:8} {form:8} {mean:9.1f} {p50:9.1f} {p95:9.1f} {p99:9.1f} {per_second:14,.0f}")
    await counts.close()


async def main(rounds: int, clients: int) -> None:
    print(
        f"{'counts':8} {'form':8} {'mean µs':>9} {'p50 µs':>9} {'p95 µs':>9} {'p99 µs':>9} {f'{clients} at once/s':>14}"
    )
    await measure("process", MemoryCounts(), rounds, clients)
    with a_redis() as url:
        await measure("redis", RedisCounts(url), rounds, clients)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=50)
    told = parser.parse_args()
    asyncio.run(main(told.rounds, told.at_once))
