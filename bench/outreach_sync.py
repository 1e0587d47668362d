"""How fast lemlist and Smartlead come into event_source and on to Mixpanel, with workers that are killed on the way.

Load model: the doubles of both tools and of Mixpanel in one process of their own on the same machine, their limits off
and ours too (`plan none`), faults on when asked for; one worker process at a time, which is up when the run begins;
Syncline's own PostgreSQL with durability on. A worker is killed with SIGKILL at random points, and the next begins at
once. Time is from the start of the run to its end, and from there to the last event delivered; then of a comparison of
what the tools have with what is stored and, read back, with Mixpanel's raw export. The limit is the same rows by bare
COPY, a thousand events a transaction, into tables with the same indexes.

The run is right if the number of stored events, of different 4-tuples and of raw records at Mixpanel's double are each
what the tools have, and the comparison finds the three to agree on every day.

With `--limits` the tools' limits are on, and our plans those limits (lemlist 20 requests in 2 s; Smartlead pro: 20 a
second, 120 a minute, 3,000 an hour). The least time that they allow is, for n requests and a limit of c in s seconds,
s * ((n - 1) // c): the first c go at once, the next c when s seconds are over. Of a tool's limits the slowest counts,
of both tools the slower, for they are read side by side. Needed are the full pages of each chunk and one that is not,
by which the end is known, and the lists of campaigns; that our pages overlap, lest something is missed, does not count.

    python -m bench.outreach_sync [--write-docs]
    python -m bench.outreach_sync --events 1000000 --campaigns 200 --kills 20 --faults "lemlist:drop_before=1%"
    python -m bench.outreach_sync --limits --events 150000 [--write-docs]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from bench.harness import Bench, Cpu, machine, opened, print_table, write_between
from bench.outreach_bare import AT_ONCE, bare_copy
from bench.outreach_site import Doubles, Workers, connect, doubles, spread

from syncline.apps.outreach.delivery import repository as deliveries
from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import Platform, SyncMode, SyncRequest, SyncStatus
from syncline.connectors.lemlist.place import PAGE as LEMLIST_PAGE
from syncline.connectors.smartlead.streams import ROWS as SMARTLEAD_PAGE
from syncline.runtime.db.server import ServerHandle, ensure_server

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
COLUMNS = (
    *("what", "events", "seconds", "events/s", "of the limit", "peak of a worker", "killed"),
    *("CPU s: worker", "database", "doubles"),
)
LIMITED = ("tool", "limits", "requests needed", "sent", "refused", "least s", "of both s", "took s", "of the least")
WINDOWS: Final[dict[str, tuple[tuple[int, float], ...]]] = {
    "lemlist": ((20, 2.0),),
    "smartlead": ((20, 1.0), (120, 60.0), (3_000, 3_600.0)),
}
"""Requests in seconds, as both publish them (Smartlead: of its plan pro)."""
_LOOK_SECONDS = 0.25
_PAGES = "select platform, coalesce(expected, read + unusable) from outreach.sync_chunk where run_id = %s"


@dataclass(frozen=True, slots=True)
class Phase:
    """What a part took. `cpu` are seconds of the worker, the database and the doubles."""

    what: str
    events: int
    seconds: float
    peak: int | None = None
    killed: int | None = None
    cpu: Sequence[float | None] = (None, None, None)

    @property
    def rate(self) -> float:
        return self.events / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Site:
    """All that takes part in a measurement."""

    bench: Bench
    server: ServerHandle
    doubles: Doubles
    workers: Workers
    options: argparse.Namespace

    def cpu(self) -> tuple[float, float, float]:
        self.workers.look()
        return self.workers.cpu, Cpu.of(self.server.supervisor_pid).seconds, Cpu.of(self.doubles.pid).seconds

    async def run_of(self, run: Run) -> Run:
        async with self.bench.runtime.database.reading(self.bench.actor.tenant_id) as session:
            return await service.get(session, run.id)

    async def is_delivered(self) -> bool:
        async with self.bench.runtime.database.reading(self.bench.actor.tenant_id) as session:
            return not await deliveries.has_waiting(session)


async def measure(options: argparse.Namespace) -> bool:
    faults = spread(options.faults)
    limits = ["--set", "smartlead:plan=pro"] if options.limits else ["--no-limits"]
    with tempfile.TemporaryDirectory(prefix="syncline-outreach-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - nothing else runs yet
        home = Path(folder) / "data"
        async with doubles(options.events, options.campaigns, *limits, *faults) as town, opened(home) as bench:
            plans = {"lemlist": "standard", "smartlead": "pro", "mixpanel": "none"}
            await connect(bench, town.told, plans if options.limits else dict.fromkeys(plans, "none"))
            workers = Workers(home, Path(folder) / "worker.log")
            site = Site(bench, ensure_server(home), town, workers, options)
            try:
                await workers.start()
                return await (measure_limits(site) if options.limits else measure_speed(site))
            finally:
                await workers.stop()
                site.server.close()


async def measure_speed(site: Site) -> bool:
    options = site.options
    run, stored = await _stored(site)
    phases = [stored, await _delivered(site, stored)]
    counts = await _counts(site)
    report, compared = await _compared(site)
    phases.append(compared)
    if options.kills == 0:
        bare = await asyncio.to_thread(bare_copy, site.server.url("operator"))
        phases.append(Phase(f"bare COPY of the same rows, {AT_ONCE:,} events at once", bare.events, bare.seconds))
    caption = f"{options.events:,} events of {options.campaigns} campaigns"
    told = f"{run.status}; {counts}; the comparison found them to {'agree' if report['agreed'] else 'DIFFER'}"
    faults = f", faults {', '.join(options.faults)}" if options.faults else ""
    title = f"{caption}{faults}, {machine()}: {told}"
    shown = print_table(title, COLUMNS, _rows(phases))
    if options.write_docs:
        write_between(PAGE, "outreach-proof" if options.kills else "outreach", f"{title}\n\n{shown}")
    return run.status is SyncStatus.COMPLETED and len(set(counts.values())) == 1 and bool(report["agreed"])


async def _stored(site: Site) -> tuple[Run, Phase]:
    options, bench, workers = site.options, site.bench, site.workers
    # Notes and repeated opens are not read, so that the last points would never come.
    points = sorted(random.Random(options.seed).sample(range(options.events * 9 // 10), options.kills))
    request = SyncRequest(platforms=tuple(Platform), mode=SyncMode.FULL, batch_size=1_000)
    before, began = site.cpu(), time.monotonic()
    async with bench.runtime.database.writing(bench.actor.tenant_id) as session:
        run = await service.start(session, bench.runtime, request, actor=bench.actor, config={})
    while not (run := await site.run_of(run)).status.is_final:
        workers.look()
        if points and run.counts.read >= points[0]:
            points.pop(0)
            await workers.kill(bench)
            print(f"killed after {run.counts.read:,} events, {time.monotonic() - began:.0f} s", flush=True)
        await asyncio.sleep(_LOOK_SECONDS)
    return run, _phase(site, "into event_source", run.counts.created, before, began)


async def _delivered(site: Site, stored: Phase) -> Phase:
    before, began = site.cpu(), time.monotonic()
    while not await site.is_delivered():
        site.workers.look()
        await asyncio.sleep(_LOOK_SECONDS)
    return _phase(site, "from there to Mixpanel", stored.events, before, began)


async def _compared(site: Site) -> tuple[dict[str, Any], Phase]:
    """The report of a comparison that also reads Mixpanel's export."""
    bench, before, began = site.bench, site.cpu(), time.monotonic()
    told = {"platforms": [one.value for one in Platform], "batchSize": 1_000}
    async with bench.runtime.database.writing(bench.actor.tenant_id) as session:
        run = await service.start_comparison(
            session, bench.runtime, told, actor=bench.actor, repair=False, read_back=True
        )
    while not (run := await site.run_of(run)).status.is_final:
        site.workers.look()
        await asyncio.sleep(_LOOK_SECONDS)
    if run.report is None:
        raise SystemExit(f"the comparison {run.status}: {run.sentence}")
    report = dict(run.report)
    what = "compared by day with the tools and Mixpanel's export"
    return report, _phase(site, what, report["totals"]["source"], before, began)


def _phase(site: Site, what: str, events: int, before: Sequence[float], began: float) -> Phase:
    """And the workers' peak begins anew."""
    seconds = time.monotonic() - began
    workers, cpu = site.workers, site.cpu()
    peak, workers.peak = workers.peak, 0
    killed, workers.killed = workers.killed, 0
    print(f"{what}: {events:,} in {seconds:.1f} s, {peak / 1e6:.0f} MB", flush=True)
    used = [now - then for now, then in zip(cpu, before, strict=True)]
    return Phase(what, events, seconds, peak, killed, used)


def _rows(phases: Sequence[Phase]) -> list[tuple[object, ...]]:
    bare = phases[-1].rate if phases[-1].peak is None else None
    return [
        (
            one.what,
            one.events,
            round(one.seconds, 1),
            round(one.rate),
            "–" if bare is None or one.what not in {phases[0].what, phases[-1].what} else f"{one.rate / bare:.2f}",
            "–" if one.peak is None else f"{one.peak / 1_000_000:.0f} MB",
            "–" if one.killed is None else one.killed,
            *("–" if seconds is None else f"{seconds:.1f}" for seconds in one.cpu),
        )
        for one in phases
    ]


async def _counts(site: Site) -> dict[str, int]:
    """What the tools have, what is stored, and what came to Mixpanel: as different 4-tuples, and as raw records."""
    url = site.doubles.url
    async with httpx.AsyncClient() as http:
        lemlist = (await http.get(f"{url}/lemlist/sandbox/truth")).json()
        smartlead = (await http.get(f"{url}/smartlead/sandbox/truth")).json()
        mixpanel = (await http.get(f"{url}/mixpanel/sandbox/counts", timeout=60)).json()
    async with site.bench.runtime.database.reading(site.bench.actor.tenant_id) as session:
        cursor = await (await session.driver()).execute("select count(*) from outreach.event_source")
        ((stored,),) = await cursor.fetchall()
    return {
        # Notes belong to no campaign, and of repeated opens Smartlead shows one.
        "source": lemlist["events"] - lemlist["by_kind"].get("annotated", 0) + smartlead["first"],
        "stored": int(stored),
        "distinct": mixpanel["distinct"],
        "raw": mixpanel["raw"],
    }


async def measure_limits(site: Site) -> bool:
    """Both tools at their published limits: against the least time that these allow."""
    async with httpx.AsyncClient(base_url=site.doubles.url) as http:
        for tool in WINDOWS:
            await http.delete(f"/{tool}/sandbox/stats")
        await asyncio.sleep(max(seconds for windows in WINDOWS.values() for _, seconds in windows if seconds < 120))
        run, stored = await _stored(site)
        stats = {tool: (await http.get(f"/{tool}/sandbox/stats")).json() for tool in WINDOWS}
    needed = await _needed(site, run)
    least = {tool: _least(needed[tool], WINDOWS[tool]) for tool in WINDOWS}
    longest = max(least.values())
    rows = [
        (
            tool,
            ", ".join(f"{calls:,} in {seconds:,g} s" for calls, seconds in WINDOWS[tool]),
            needed[tool],
            stats[tool]["requests"],
            stats[tool]["throttled"],
            round(least[tool], 1),
            round(longest, 1),
            round(stored.seconds, 1),
            f"{stored.seconds / longest:.2f}",
        )
        for tool in WINDOWS
    ]
    title = f"{stored.events:,} events of {site.options.campaigns} campaigns, {machine()}"
    shown = print_table(title, LIMITED, rows)
    if site.options.write_docs:
        write_between(PAGE, "outreach-limits", f"{title}\n\n{shown}")
    return run.status is SyncStatus.COMPLETED


async def _needed(site: Site, run: Run) -> dict[str, int]:
    """Requests by tool: the pages of the chunks, and the lists of campaigns."""
    sizes = {"lemlist": LEMLIST_PAGE, "smartlead": SMARTLEAD_PAGE}
    # Smartlead tells all of its campaigns at once, lemlist by pages.
    needed = {"lemlist": site.options.campaigns // 2 // LEMLIST_PAGE + 1, "smartlead": 1}
    async with site.bench.runtime.database.reading(site.bench.actor.tenant_id) as session:
        for platform, records in await (await (await session.driver()).execute(_PAGES, (run.id,))).fetchall():
            needed[platform] += records // sizes[platform] + 1
    return needed


def _least(requests: int, windows: Sequence[tuple[int, float]]) -> float:
    return max(seconds * ((requests - 1) // calls) for calls, seconds in windows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--campaigns", type=int, default=200)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1, help="Of the points at which workers are killed")
    parser.add_argument("--faults", action="append", default=[])
    parser.add_argument("--limits", action="store_true", help="Measure at the tools' limits in place of speed")
    parser.add_argument("--write-docs", action="store_true")
    sys.exit(0 if asyncio.run(measure(parser.parse_args())) else 1)


if __name__ == "__main__":
    main()
