"""Event keys over HTTP, each recorded in `event_source`: one by one from many clients, and by batches of 1,000.

    python -m bench.event_keys_http [--seconds 15] [--clients 64] [--write-docs]

Limits are raised. Goals: more than 1,000 keys/s one by one, more than 15,000 keys/s by batch, and memory that does not
grow with the keys. The server is one process; the generator shares the machine with it and with the database.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import psutil
import psycopg
from bench.harness import machine, print_table, write_between
from bench.load import Latencies, connected, request
from bench.web_process import running_site

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
BATCH = 1_000
WARM_SECONDS = 3.0
MEGABYTE = 1_000_000


class Fresh(Sequence[bytes]):
    """Requests of which each is a new one, whichever is asked for: no event is sent twice."""

    def __init__(self, path: str, key: str, keys: int, name: str) -> None:
        self._path, self._headers, self._keys, self._name = path, {"Authorization": f"Bearer {key}"}, keys, name
        self.made = 0

    def __len__(self) -> int:
        return 1 << 30

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        first, self.made = self.made, self.made + self._keys
        events = [self._event(number) for number in range(first, first + self._keys)]
        body = events[0] if self._keys == 1 else {"events": events}
        return request(self._path, method="POST", headers=self._headers, body=json.dumps(body).encode())

    def _event(self, number: int) -> dict[str, Any]:
        return {
            "platform": "lemlist",
            "campaignId": f"cam_{self._name}_{number % 200}",
            "eventType": "email_opened",
            "email": f"person.{number}@example.com",
            "activityId": f"act_{number:012x}",
        }


def stored(site: Mapping[str, Any]) -> int:
    with psycopg.connect(site["operator_url"]) as operator:
        row = operator.execute("SELECT count(*) FROM event_source").fetchone()
    return 0 if row is None else int(row[0])


async def main(seconds: float, clients: int, *, write_docs: bool) -> None:
    found: list[tuple[str, int, Latencies, int, float]] = []
    async with running_site() as site:
        process = psutil.Process(site["pid"])
        for name, path, keys, many in (
            ("one by one", "generate", 1, clients),
            (f"by batches of {BATCH:,}", "generate-batch", BATCH, 4),
        ):
            asked = Fresh(f"/api/event-keys/{path}", site["key"], keys, path)
            async with connected(site["url"], many) as load:
                await load.closed_loop(asked, seconds=WARM_SECONDS)
                before, memory = stored(site), process.memory_info().rss
                taken = await load.closed_loop(asked, seconds=seconds)
                grown = (process.memory_info().rss - memory) / MEGABYTE
            found.append((name, keys, taken, stored(site) - before, grown))
    rows = [
        (name, one.per_second * keys, one.ms(0.5), one.ms(0.95), new, grown, one.failed)
        for name, keys, one, new, grown in found
    ]
    columns = ["keys", "keys/s", "p50 ms of a request", "p95 ms", "rows added", "memory grew by, MB", "failed"]
    caption = f"{clients} clients one by one, 4 with batches, {seconds:g} s each; {machine()}"
    text = print_table(caption, columns, rows)
    if write_docs:
        write_between(PAGE, "event-keys-http", f"{caption}\n\n{text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--write-docs", action="store_true")
    told = parser.parse_args()
    asyncio.run(main(told.seconds, told.clients, write_docs=told.write_docs))
