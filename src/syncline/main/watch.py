"""What a running process shows of itself beyond single requests and jobs: calls to vendors, breakers, queue, pool."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from syncline.apps.commerce.contract import Commerce
from syncline.kernel.errors import Unavailable
from syncline.runtime.app import Runtime
from syncline.runtime.connect.registry import PROCESS, CallTrace, Registry
from syncline.runtime.http.health import Check, CheckResult
from syncline.runtime.observe.metrics import LATENCY_BUCKETS, Counter, Gauge, Histogram

EVERY_SECONDS = 15.0
"""How old a gauge may be."""

CALLS = Counter("syncline_vendor_calls_total", "Attempts of calls to vendors.", ["vendor", "operation", "outcome"])
CALL_SECONDS = Histogram(
    "syncline_vendor_call_seconds", "How long attempts of calls took.", ["vendor"], buckets=LATENCY_BUCKETS
)
BREAKERS = Gauge("syncline_vendor_breakers", "Circuit breakers by state.", ["vendor", "state"])
QUEUE = Gauge("syncline_jobs_queue", "Jobs that wait or run, in the whole installation.", ["job", "state"])
OLDEST = Gauge("syncline_jobs_oldest_seconds", "How long the oldest job of a kind has been there.", ["job", "state"])
OVERDUE = Gauge("syncline_schedule_overdue_seconds", "How long the schedule that waits longest has been due.")
POOL = Gauge("syncline_database_connections", "Connections of this process's pool.", ["state"])


def _vendor(upstream: str) -> str:
    """`shopify` of `shopify:summer.myshopify.com`: a label must not grow with the number of stores."""
    return upstream.partition(":")[0]


def count_call(trace: CallTrace) -> None:
    vendor = _vendor(trace.upstream)
    CALLS.labels(vendor=vendor, operation=trace.operation, outcome=trace.outcome).inc()
    CALL_SECONDS.labels(vendor=vendor).observe(trace.seconds)


def breaker_check(registry: Registry = PROCESS) -> Check:
    """Says which vendors are not called because they keep failing. Keeps no traffic away: that is their illness."""

    async def look() -> CheckResult:
        states = registry.states()
        broken = [name for name, state in states.items() if state == "open"]
        reason = f"not calling {', '.join(broken)}, which keeps failing" if broken else ""
        return CheckResult(healthy=not broken, reason=reason, facts={"breakers": states})

    return Check("circuit_breakers", look, gates_ready=False)


async def watch(runtime: Runtime, stop: asyncio.Event) -> None:
    """Count calls, and keep the gauges fresh, until told to stop."""
    PROCESS.hooks.append(count_call)
    try:
        while not stop.is_set():
            await _look(runtime)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await stop.wait()
    finally:
        PROCESS.hooks.remove(count_call)


async def _look(runtime: Runtime) -> None:
    BREAKERS.clear()
    for name, state in PROCESS.states().items():
        BREAKERS.labels(vendor=_vendor(name), state=state).inc()
    pool = runtime.database.pool_status()
    for kind, number in (("active", pool.active), ("idle", pool.idle), ("limit", pool.limit)):
        POOL.labels(state=kind).set(number)
    with suppress(Unavailable):  # while the database is away /ready says so; the gauges keep what was last seen
        async with runtime.database.system() as session:
            depths = await runtime.queue.depth(session)
        OVERDUE.set((await runtime.contract(Commerce).schedule_lag()).total_seconds())
        QUEUE.clear()
        OLDEST.clear()
        for depth in depths:
            QUEUE.labels(job=depth.job, state=depth.state).set(depth.count)
            OLDEST.labels(job=depth.job, state=depth.state).set(depth.oldest.total_seconds())
