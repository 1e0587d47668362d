"""Webhooks a second that one process takes in, and two, with bodies of 4 KB, `synchronous_commit=on`, and senders that
each wait for their answer (closed loop); beside the handler that commits each by itself, and bare inserts of pgbench,
which are the limit.

    python -m bench.webhook_intake [--senders 64 512] [--processes 1 2] [--seconds 8] [--write-docs]

Goal: 5,000/s and twice the naive handler, p99 below 100 ms at 64 senders. Limits are raised out of the way. Servers,
senders and database share the machine. It counts what is stored against what was answered, and ends with an error when
they differ.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from bench.harness import child, machine, print_table, write_between
from bench.naive_webhooks import PATH
from bench.web_process import running_site, site_process
from cryptography.fernet import Fernet

from syncline.kernel.ids import new_id
from syncline.runtime.secrets import SecretBox

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
COLUMNS = (
    "way",
    "processes",
    "senders",
    "accepted/s",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "RSS MB",
    "CPU µs",
    "database CPU µs",
    "refused",
)
SHOP, SECRET = "bench.myshopify.com", "shpss_bench"
_STORE = """
WITH made AS (
    INSERT INTO commerce.store (id, tenant_id, name, shop_domain, token_sealed, api_version, shop_name, currency, plan,
        scopes, created_at) VALUES (%(id)s, %(tenant)s, 'bench', %(shop)s, '', '2026-10', 'Bench', 'USD', 'Basic', '{}',
        now())
), listed AS (
    INSERT INTO commerce.shop_directory (store_id, tenant, shop_domain) VALUES (%(id)s, %(tenant)s, %(shop)s)
)
INSERT INTO commerce.store_grant (store_id, tenant_id, kind, secret_sealed, granted_at, issued_at)
VALUES (%(id)s, %(tenant)s, 'custom', %(secret)s, now(), now())
"""
_BARE = "INSERT INTO public.bare (id, body) VALUES (gen_random_uuid(), decode(repeat('7b', 4096), 'hex'));"


def connect_store(operator_url: str, tenant: str, box: SecretBox) -> None:
    with psycopg.connect(operator_url) as connection:
        connection.execute("SELECT set_config('syncline.tenant', %s, true)", (tenant,))
        values = {"id": new_id(), "tenant": tenant, "shop": SHOP, "secret": box.seal(SECRET)}
        connection.execute(_STORE, values)
        connection.execute("CREATE TABLE public.bare (id uuid PRIMARY KEY, body bytea STORAGE EXTERNAL)")


def stored(operator_url: str, tenant: str) -> int:
    with psycopg.connect(operator_url) as connection:
        connection.execute("SELECT set_config('syncline.tenant', %s, true)", (tenant,))
        row = connection.execute(
            "SELECT count(*) FROM commerce.webhook_event e JOIN commerce.webhook_body b ON b.event_id = e.id"
        ).fetchone()
    assert row is not None
    return int(row[0])


def spent(servers: Sequence[psutil.Process]) -> tuple[float, float]:
    """CPU seconds of the servers so far, and of the database."""
    own = [one.cpu_times() for one in servers]
    backends = [one for one in psutil.process_iter(["name"]) if one.info["name"] == "postgres"]
    database = 0.0
    for one in backends:
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            database += times.user + times.system
    return sum(times.user + times.system for times in own), database


@dataclass(frozen=True)
class Sent:
    """What senders saw, and what it cost: milliseconds, microseconds of CPU for one webhook, megabytes of a server."""

    accepted: int
    refused: int
    per_second: float
    times: tuple[float, float, float]
    memory: float
    cpu: tuple[int, int]


async def send(urls: Sequence[str], servers: Sequence[psutil.Process], many: int, seconds: float) -> Sent:
    """`many` senders, an equal part for each address, at the same time."""
    before = spent(servers)
    each = ("--senders", str(many // len(urls)), "--seconds", str(seconds))
    told = await asyncio.gather(*(child("bench.webhook_sender", url, SHOP, SECRET, *each) for url in urls))
    accepted = sum(one["accepted"] for one in told)
    return Sent(
        accepted,
        sum(one["refused"] for one in told),
        sum(one["per_second"] for one in told),
        (max(one["p50"] for one in told), max(one["p95"] for one in told), max(one["p99"] for one in told)),
        max(one.memory_info().rss for one in servers) / 1e6,
        tuple(round((now - then) / accepted * 1e6) for now, then in zip(spent(servers), before, strict=True)),
    )


async def bare(site: dict[str, Any], senders: int, seconds: float) -> tuple[float, float]:
    """Inserts a second and their mean milliseconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_BARE)
        script.flush()
        options = ("-n", "-M", "prepared", "-c", str(senders), "-j", "1", "-T", str(int(seconds)), "-f", script.name)
        process = await asyncio.create_subprocess_exec(
            str(Path(site["bin_dir"]) / "pgbench"), *options, site["operator_url"], stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
    told = output.decode()
    rate, took = re.search(r"tps = ([\d.]+)", told), re.search(r"latency average = ([\d.]+)", told)
    if rate is None or took is None:
        raise SystemExit(f"pgbench says nothing: {told}")
    return float(rate[1]), float(took[1])


async def main(senders: list[int], processes: list[int], seconds: float, *, write_docs: bool) -> None:
    key = Fernet.generate_key().decode()
    rows: list[tuple[object, ...]] = []
    answered = 0
    async with running_site(SYNCLINE_SECRET_KEYS=key) as site, AsyncExitStack() as more:
        connect_store(site["operator_url"], site["tenant"], SecretBox([key]))
        sites = [site]
        while len(sites) < max(processes):
            beside = site_process(site["data_dir"], {"SYNCLINE_SECRET_KEYS": key})
            sites.append(await more.enter_async_context(beside))
        ways = [("group commit", "/api/webhooks/shopify", many) for many in processes]
        for many in senders:
            for name, path, count in [*ways, ("one commit each", PATH, 1)]:
                among = sites[:count]
                servers = [psutil.Process(one["pid"]) for one in among]
                sent = await send([one["url"] + path for one in among], servers, many, seconds)
                answered += sent.accepted
                figures = (sent.per_second, *sent.times, sent.memory, *sent.cpu, sent.refused)
                rows.append((name, count, many, *figures))
            most, took = await bare(site, min(many, 64), seconds)
            rows.append(("bare pgbench inserts", "", min(many, 64), most, took, *[""] * 6))
        kept = stored(site["operator_url"], site["tenant"])
    if kept != answered:
        raise SystemExit(f"{answered} were answered with 200 and {kept} are stored")
    caption = f"Signed bodies of 4 KB, {seconds:g} s each; {kept:,} answered with 200 and as many stored; {machine()}"
    text = print_table(caption, COLUMNS, rows)
    if write_docs:
        write_between(PAGE, "webhook-intake", f"{caption}\n\n{text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--senders", type=int, nargs="+", default=[64, 512])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--write-docs", action="store_true")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.senders, arguments.processes, arguments.seconds, write_docs=arguments.write_docs))
