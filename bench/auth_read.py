"""What knowing the caller costs a read: the same small read for everybody, with an API key and with an access token.

    python -m bench.auth_read [--rate 500] [--seconds 15] [--clients 50] [--write-docs]

First an open loop: so many requests a second whatever the answers take, timed from when each was due. Goal: p95 below
20 ms, and less than 1 ms more than without authentication. Then a closed loop: so many clients that each ask again at
once. The server is one process; the generator shares the machine with it and with the database.

The load: requests are due one every 1/rate s, evenly; each takes one of as many kept connections as there are clients.
Where a machine cannot do the rate, requests wait for a connection, which counts as their time; one that waited 5 s is
given up and counts as failed. So a run ends within some three minutes on any machine, and says what was not reached.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from bench.harness import machine, print_table, write_between
from bench.load import Latencies, Load, connected, request
from bench.web_process import PASSWORD, running_site, unique_mail

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
WARM_SECONDS = 3.0


async def sign_in(site: Mapping[str, Any]) -> str:
    body = {"name": "Ada", "email": unique_mail(), "password": PASSWORD, "shopDomain": "ada.example"}
    async with httpx.AsyncClient(base_url=site["url"]) as client:
        token: str = (await client.post("/api/auth/register", json=body)).raise_for_status().json()["access_token"]
        return token


async def requests_of(site: Mapping[str, Any]) -> dict[str, bytes]:
    bearing = {"an API key": site["key"], "an access token": await sign_in(site)}
    known = {
        f"with {name}": request("/bench/known", headers={"Authorization": f"Bearer {one}"})
        for name, one in bearing.items()
    }
    return {"without authentication": request("/bench/open"), **known}


async def measure(load: Load, asked: Mapping[str, bytes], rate: float, seconds: float) -> dict[str, Latencies]:
    """In three rounds that take turns, so that what else the machine does meets all alike; the median round of each."""
    rounds: dict[str, list[Latencies]] = {name: [] for name in asked}
    for _ in range(3):
        for name, one in asked.items():
            rounds[name].append(await load.open_loop(one, rate=rate, seconds=seconds / 3))
    return {name: sorted(found, key=lambda one: one.ms(0.5))[1] for name, found in rounds.items()}


async def main(rate: float, seconds: float, clients: int, *, write_docs: bool) -> None:
    async with running_site() as site, connected(site["url"], clients) as load:
        asked = await requests_of(site)
        await load.closed_loop(list(asked.values()), seconds=WARM_SECONDS)
        opened = await measure(load, asked, rate, seconds)
        closed = {name: await load.closed_loop([one], seconds=seconds / 2) for name, one in asked.items()}
    bare = opened["without authentication"]
    rows = [
        (
            name,
            one.ms(0.5),
            one.ms(0.95),
            one.ms(0.99),
            one.ms(0.5) - bare.ms(0.5),
            closed[name].per_second,
            closed[name].ms(0.95),
            one.failed + closed[name].failed,
        )
        for name, one in opened.items()
    ]
    columns = ["read", "p50 ms", "p95 ms", "p99 ms", "adds to p50, ms"]
    columns += [f"requests/s at {clients} clients", "p95 ms there", "failed"]
    caption = f"{rate:g} requests a second, open loop, {seconds / 3:g} s in three rounds, the median one; {machine()}"
    text = print_table(caption, columns, rows)
    if write_docs:
        write_between(PAGE, "auth-read", f"{caption}\n\n{text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--write-docs", action="store_true")
    told = parser.parse_args()
    asyncio.run(main(told.rate, told.seconds, told.clients, write_docs=told.write_docs))
