"""What a running process shows of itself beyond single requests and jobs: calls to vendors, breakers, queue, pool."""

from __future__ import annotations

import asyncio
from collections import Counter as Counts
from contextlib import suppress

from syncline.apps.commerce.contract import Commerce
from syncline.kernel.errors import Unavailable
from syncline.runtime.app import Runtime
from syncline.runtime.connect.breaker import Breaker, BreakerState
from syncline.runtime.connect.registry import PROCESS, CallTrace, Registry, vendor_of
from syncline.runtime.observe.metrics import LATENCY_BUCKETS, Counter, Gauge, Histogram

EVERY_SECONDS = 15.0
"""How old a gauge may be."""

CALLS = Counter("syncline_vendor_calls_total", "Attempts of calls to vendors.", ["vendor", "operation", "outcome"])
CALL_SECONDS = Histogram(
    "syncline_vendor_call_seconds", "How long attempts of calls took.", ["vendor"], buckets=LATENCY_BUCKETS
)
BREAKERS = Gauge("syncline_vendor_breakers", "Circuit breakers by state.", ["vendor", "state"])
CHANGES = Counter("syncline_vendor_breaker_changes_total", "Changes of breakers, to a state.", ["vendor", "state"])
LETTERS = Gauge("syncline_dead_letters", "Dead letters nobody has seen to, in the whole installation.", ["kind"])
QUEUE = Gauge("syncline_jobs_queue", "Jobs that wait or run, in the whole installation.", ["job", "state"])
OLDEST = Gauge("syncline_jobs_oldest_seconds", "How long the oldest job of a kind has been there.", ["job", "state"])
OVERDUE = Gauge("syncline_schedule_overdue_seconds", "How long the schedule that waits longest has been due.")
POOL = Gauge("syncline_database_connections", "Connections of this process's pool.", ["state"])


def count_call(trace: CallTrace) -> None:
    vendor = vendor_of(trace.upstream)
    CALLS.labels(vendor=vendor, operation=trace.operation, outcome=trace.outcome).inc()
    CALL_SECONDS.labels(vendor=vendor).observe(trace.seconds)


def count_change(breaker: Breaker, state: BreakerState) -> None:
    CHANGES.labels(vendor=vendor_of(breaker.name), state=state.value).inc()
    _show_breakers(PROCESS)


def _show_breakers(registry: Registry) -> None:
    """One sample for each state of each vendor that was called, so that none stays behind as it was."""
    counts = Counts((vendor_of(name), state) for name, state in registry.states().items())
    for vendor in {vendor for vendor, _ in counts}:
        for state in BreakerState:
            BREAKERS.labels(vendor=vendor, state=state.value).set(counts[vendor, state.value])


async def watch(runtime: Runtime, stop: asyncio.Event) -> None:
    """Count calls, and keep the gauges fresh, until told to stop."""
    PROCESS.hooks.append(count_call)
    PROCESS.on_change.append(count_change)
    try:
        while not stop.is_set():
            await _look(runtime)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await stop.wait()
    finally:
        PROCESS.hooks.remove(count_call)
        PROCESS.on_change.remove(count_change)


async def _look(runtime: Runtime) -> None:
    _show_breakers(PROCESS)
    pool = runtime.database.pool_status()
    for kind, number in (("active", pool.active), ("idle", pool.idle), ("limit", pool.limit)):
        POOL.labels(state=kind).set(number)
    with suppress(Unavailable):  # while the database is away /ready says so; the gauges keep what was last seen
        async with runtime.database.system() as session:
            depths = await runtime.queue.depth(session)
            letters = await runtime.letters.tally(session)
        OVERDUE.set((await runtime.contract(Commerce).schedule_lag()).total_seconds())
        for letter_kind, size in letters.items():
            LETTERS.labels(kind=letter_kind.value).set(size)
        QUEUE.clear()
        OLDEST.clear()
        for depth in depths:
            QUEUE.labels(job=depth.job, state=depth.state).set(depth.count)
            OLDEST.labels(job=depth.job, state=depth.state).set(depth.oldest.total_seconds())
