"""Other extractors and Syncline on the same store, one after another in the same run: how fast, how much memory, did
all come, and what each does when the store throttles it.

Load model: for each run a new sandbox process with the same store, and a TLS proxy process in front of it that all go
through; the rivals from the package index, unmodified, each in an environment of its own, with *.myshopify.com led to
the proxy (bench/redirect). Each reads all products, variants and stock levels into an empty place: the rivals into
files, Syncline into its own PostgreSQL with durability on. Time is that of the whole process, from its start to its
end, and for Syncline beside it that of the pull itself, for a worker normally runs already. Making environments,
discovery and starting the database are outside it. What came is compared with the sandbox's own state, key by key. The
sandbox writes bulk results while it is asked for them.

    python -m bench.rivals
    python -m bench.rivals --products 200 --only dlt,paged,bulk --limits off
    python -m bench.rivals --products 2000 --timeout 300 --environments /var/tmp/rivals --write-docs
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, LiteralString

import httpx
from bench.extractors import RIVALS, Found, Key, Rival, Shop, install, redirected
from bench.harness import Bench, Cpu, connect_store, machine, opened, print_table, write_between
from bench.processes import PeakTree, ProgramFailed, Ran, last_line, run_measured
from bench.pull_store import PAGE
from bench.redirect.certificate import Certificates, make_certificates
from bench.redirect.proxy import running_proxy
from sqlalchemy import text

from syncline.main.sandbox_process import RunningSandbox, running_sandbox
from syncline.runtime.db.server import ensure_server
from syncline.runtime.observe import logs

OURS = {"paged": "Syncline, paged", "bulk": "Syncline, bulk"}
KINDS = ("products", "variants", "levels")
_KEYS: dict[str, LiteralString] = {
    "products": "select id from commerce.product",
    "variants": "select id from commerce.variant",
    "levels": "select inventory_item_id, location_id from commerce.inventory_level",
}
RATES = (
    *(
        "limits",
        "extractor",
        "told",
        "records",
        "seconds",
        "the pull itself",
        "records/s",
        "all there?",
        "requests",
        "peak RSS",
    ),
    *("CPU s: extractor", "database", "proxy", "sandbox", "ended"),
)
THROTTLING = ("extractor", "THROTTLED", "more requests", "more seconds", "records missing", "ended")


@dataclass(frozen=True)
class Measured:
    name: str
    told: str
    ran: Ran
    """Of Syncline the worker's process alone."""
    stats: dict[str, Any]
    expected: int
    came: int
    """Of those expected, how many came at least once."""
    more_than_once: int
    strange: int
    """Keys the sandbox does not have."""
    proxy: float
    sandbox: float
    ended: str
    own: float | None = None
    """Seconds of the pull itself, without starting and ending the process, where the program tells them."""
    database: float | None = None
    database_bytes: int = 0

    @property
    def missing(self) -> int:
        return self.expected - self.came

    @property
    def completeness(self) -> str:
        words = [f"{self.missing:,} missing"] if self.missing else []
        words += [f"{self.more_than_once:,} twice"] if self.more_than_once else []
        words += [f"{self.strange:,} unknown"] if self.strange else []
        return ", ".join(words) or "yes"


@dataclass(frozen=True)
class Place:
    """A sandbox with its proxy, for one run."""

    sandbox: RunningSandbox
    port: int
    proxy_pid: int
    certificates: Certificates

    async def stats(self) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self.sandbox.url) as http:
            found: dict[str, Any] = (await http.get("/sandbox/stats")).json()
        return found

    async def forget_stats(self) -> None:
        async with httpx.AsyncClient(base_url=self.sandbox.url) as http:
            await http.delete("/sandbox/stats")

    async def keys(self) -> set[tuple[str, Key]]:
        found: set[tuple[str, Key]] = set()
        async with httpx.AsyncClient(base_url=self.sandbox.url, timeout=60) as http:
            for kind in KINDS:
                for line in (await http.get(f"/sandbox/state/{kind}")).text.split("\n"):
                    if line:
                        row = json.loads(line)
                        found.add((kind, (row["item_id"], row["location_id"]) if kind == "levels" else (row["id"],)))
        return found


@asynccontextmanager
async def place(products: int, plan: str | None, certificates: Certificates) -> AsyncIterator[Place]:
    """`plan` None switches the limits off."""
    limits = ["--plan", plan] if plan else ["--no-limits"]
    async with (
        running_sandbox(["--products", str(products), "--port", "0", *limits]) as sandbox,
        running_proxy(certificates.server, sandbox.url) as proxy,
    ):
        yield Place(sandbox, proxy.port, proxy.pid, certificates)


async def measure_rival(rival: Rival, home: Path, at: Place, folder: Path, limit: float) -> Measured:
    """Raises `ProgramFailed` when it does not come as far as reading."""
    env = redirected(at.certificates.authority, at.port)
    shop = Shop(at.sandbox.shop_domain, at.sandbox.token, env)
    command = await rival.prepare(rival, shop, home, folder)
    await at.forget_stats()
    before = Cpu.of(at.proxy_pid), Cpu.of(at.sandbox.pid)
    output, errors = folder / "output", folder / "errors"
    ran = await run_measured(command, output=output, errors=errors, folder=folder, env=env, limit=limit)
    proxy, sandbox = (Cpu.of(pid).since(was) for pid, was in zip((at.proxy_pid, at.sandbox.pid), before, strict=True))
    return Measured(
        rival.version,
        rival.told,
        ran,
        await at.stats(),
        **count(await at.keys(), rival.found(folder)),
        proxy=proxy,
        sandbox=sandbox,
        ended=how_it_ended(ran, limit, folder),
    )


async def measure_ours(path: str, at: Place, folder: Path, limit: float) -> Measured:
    home, env = folder / "data", {"SSL_CERT_FILE": str(at.certificates.authority)}
    # The same way through the proxy, by address: our client's loop asks no Python function for names.
    through = replace(at.sandbox, url=f"https://127.0.0.1:{at.port}")
    async with opened(home) as bench:
        with trusted(at.certificates.authority):
            await connect_store(bench, through)
        await at.forget_stats()
        server = ensure_server(home)
        pids = at.proxy_pid, at.sandbox.pid, server.supervisor_pid
        before = [Cpu.of(pid) for pid in pids]
        command = [sys.executable, "-m", "bench.pull_store", "--child", str(home), "--path", path]
        command += ["--streams", "products,inventory"]
        with PeakTree(server.supervisor_pid, shared_once=True) as memory:
            ran = await run_measured(
                command, output=folder / "output", errors=folder / "errors", folder=None, env=env, limit=limit
            )
        proxy, sandbox, database = (Cpu.of(pid).since(was) for pid, was in zip(pids, before, strict=True))
        server.close()
        found = [key async for key in in_mirror(bench)]
    return Measured(
        OURS[path],
        "products and inventory",
        ran,
        await at.stats(),
        **count(await at.keys(), found),
        proxy=proxy,
        sandbox=sandbox,
        ended=how_it_ended(ran, limit, folder),
        own=None if ran.code else json.loads(last_line((folder / "output").read_text()))["seconds"],
        database=database,
        database_bytes=memory.bytes,
    )


async def in_mirror(bench: Bench) -> AsyncIterator[tuple[str, Key]]:
    async with bench.runtime.database.reading(bench.actor.tenant_id) as session:
        for kind, query in _KEYS.items():
            for row in await session.execute(text(query)):
                yield kind, tuple(row)


@contextmanager
def trusted(authority: Path) -> Iterator[None]:
    """This process trusts this authority, and no other, for the length of the block."""
    os.environ["SSL_CERT_FILE"] = str(authority)
    try:
        yield
    finally:
        del os.environ["SSL_CERT_FILE"]


def count(expected: set[tuple[str, Key]], found: Found | Iterable[tuple[str, Key]]) -> dict[str, int]:
    times = Counter(found)
    return {
        "expected": len(expected),
        "came": len(expected & times.keys()),
        "more_than_once": sum(seen > 1 for seen in times.values()),
        "strange": len(times.keys() - expected),
    }


def how_it_ended(ran: Ran, limit: float, folder: Path) -> str:
    if ran.is_cut_off:
        return f"stopped after {limit:g} s"
    if ran.code:
        said = last_line((folder / "errors").read_text(errors="replace")) or last_line(
            (folder / "output").read_text(errors="replace")
        )
        return f"exit {ran.code}: {said.replace('|', '/')}"
    return "completed"


def rate_row(limits: str, one: Measured) -> Sequence[object]:
    database = f" + {one.database_bytes / 1e6:.0f} MB" if one.database is not None else ""
    own = one.own if one.own is not None else "–"
    return (
        *(limits, one.name, one.told, one.came, one.ran.seconds, own, round(one.came / one.ran.seconds)),
        *(one.completeness, one.stats["requests"], f"{one.ran.rss / 1e6:.0f} MB{database}", f"{one.ran.cpu:.1f}"),
        f"{one.database:.1f}" if one.database is not None else "–",
        *(f"{one.proxy:.1f}", f"{one.sandbox:.1f}", one.ended.partition(":")[0]),
    )


def throttling_rows(free: dict[str, Measured], held: dict[str, Measured]) -> Iterator[Sequence[object]]:
    for key, one in held.items():
        without = free.get(key)
        yield (
            f"{one.name}, {one.told}",
            one.stats["throttled"],
            one.stats["requests"] - without.stats["requests"] if without else "not run",
            one.ran.seconds - without.ran.seconds if without else "not run",
            one.missing,
            one.ended,
        )


async def measure(options: argparse.Namespace) -> None:
    logs.configure(level="WARNING", pretty=None)
    measured: dict[str, dict[str, Measured]] = {"off": {}, options.plan: {}}
    rows: list[Sequence[object]] = []
    with tempfile.TemporaryDirectory(prefix="syncline-rivals-", ignore_cleanup_errors=True) as temporary:
        os.chmod(temporary, 0o755)  # noqa: PTH101 - nothing else runs yet
        # One for the run: a process of ours reads what it trusts once.
        certificates = make_certificates(Path(temporary))
        environments = options.environments or Path(temporary) / "environments"
        for limits in (options.plan if one == "on" else "off" for one in options.limits):
            for name in options.only:
                folder = Path(temporary) / f"{name}-{limits}"
                folder.mkdir(mode=0o755)
                async with place(options.products, None if limits == "off" else limits, certificates) as at:
                    row = await _measure_one(name, at, folder, environments, options.timeout, measured[limits])
                rows.append((limits, *row))
                print(" | ".join(str(cell) for cell in rows[-1]), flush=True)
    _show(options, rows, list(throttling_rows(measured["off"], measured[options.plan])))


async def _measure_one(
    name: str, at: Place, folder: Path, environments: Path, limit: float, into: dict[str, Measured]
) -> Sequence[object]:
    """The row without its limits."""
    if name in OURS:
        into[name] = await measure_ours(name, at, folder, limit)
        return rate_row("", into[name])[1:]
    rival = next(one for one in RIVALS if one.name == name)
    try:
        home = await install(rival, environments)
        into[name] = await measure_rival(rival, home, at, folder, limit)
    except ProgramFailed as failed:
        nothing = ["–"] * (len(RATES) - 4)
        return (rival.version, rival.told, *nothing, f"could not be run: {str(failed).replace('|', '/')}")
    return rate_row("", into[name])[1:]


def _show(options: argparse.Namespace, rows: list[Sequence[object]], throttled: list[Sequence[object]]) -> None:
    title = (
        f"{options.products:,} products with their variants and stock levels, one run each, at most {options.timeout:g}"
        f" s; {machine()}. Memory is the extractor's; after the plus sign that of Syncline's PostgreSQL, shared pages"
        " counted once"
    )
    shown = print_table(title, RATES, rows)
    if throttled:
        note = f"With the limits of `{options.plan}`, compared with the same run without limits"
        shown += f"\n\n{note}\n\n" + print_table(note, THROTTLING, throttled)
    if options.write_docs:
        write_between(PAGE, "rivals", f"{title}\n\n{shown}")


def main() -> None:
    names = [rival.name for rival in RIVALS] + list(OURS)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=2_000)
    parser.add_argument("--only", type=lambda words: words.split(","), default=names, help=f"of {', '.join(names)}")
    parser.add_argument(
        "--limits", type=lambda words: words.split(","), default=["off", "on"], help="off, on or off,on"
    )
    parser.add_argument("--plan", default="standard", help="whose limits, when they are on")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds after which a run is stopped")
    parser.add_argument("--environments", type=Path, help="a folder that keeps the rivals' environments for other runs")
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.only) - set(names):
        parser.error(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(names)}.")
    asyncio.run(measure(options))


if __name__ == "__main__":
    main()
