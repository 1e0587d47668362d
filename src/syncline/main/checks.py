"""What `/health` and `/ready` look at in a running process: each part says whether it is well, degraded or down."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil

from syncline.apps.commerce.webhooks.refusals import count_unverifiable
from syncline.kernel import clock
from syncline.main.schema import schema_check
from syncline.main.settings import Settings
from syncline.main.targets import VENDORS
from syncline.runtime.app import Runtime
from syncline.runtime.bus.backlog import find_backlog
from syncline.runtime.connect.registry import PROCESS, Registry, shown_name, vendor_of
from syncline.runtime.db.access import Access
from syncline.runtime.http.health import Check, CheckResult
from syncline.runtime.letters import LetterKind
from syncline.runtime.limits.counting import CountsLost
from syncline.runtime.limits.redis_counts import RedisCounts

_CGROUP = Path("/sys/fs/cgroup")
_OVER_SECONDS = 60.0
_PATIENCE_SECONDS = 1.0
_CLOSED_WITHIN = timedelta(hours=1)


def database_check(runtime: Runtime, settings: Settings) -> Check:
    async def look() -> CheckResult:
        began = time.monotonic()
        async with runtime.database.system() as session:
            version = (await session.driver()).info.server_version
        seconds = time.monotonic() - began
        pool = runtime.database.pool_status()
        facts: dict[str, Any] = {
            "server_version": f"{version // 10000}.{version % 10000}",
            "milliseconds": round(seconds * 1000, 1),
            "connections": {"active": pool.active, "idle": pool.idle, "limit": pool.limit},
        }
        if seconds > settings.health_database_seconds:
            return CheckResult.degraded(f"took {seconds:.1f} s to answer", **facts)
        return CheckResult.up(**facts)

    return Check("database", look)


def server_check(access: Access) -> Check:
    """Of the PostgreSQL that Syncline runs itself. The process that looks after it is started again with the next
    connection, so its end alone keeps no traffic away."""

    async def look() -> CheckResult:
        server = access.server
        if server is None:
            return CheckResult.off("the database is the one of SYNCLINE_DATABASE_URL")
        if not psutil.pid_exists(server.supervisor_pid):
            return CheckResult.degraded("its supervisor has ended; the next connection starts it again")
        return CheckResult.up(version=server.version, supervisor_pid=server.supervisor_pid)

    return Check("embedded_server", look, gates_ready=False, shown_as="embeddedServer")


def redis_check(counts: object) -> Check:
    """Keeps no traffic away: without Redis limits are counted by each process, and only signing in is closed."""

    async def look() -> CheckResult:
        if not isinstance(counts, RedisCounts):
            return CheckResult.off("not configured (SYNCLINE_REDIS_URL); each process counts limits by itself")
        try:
            await counts.ping()
        except CountsLost as lost:
            return CheckResult.degraded(
                f"Redis does not answer ({lost}); each process counts limits by itself, and signing in is closed"
            )
        return CheckResult.up()

    return Check("redis", look, gates_ready=False)


def memory_check(settings: Settings) -> Check:
    """Of the container where one sets a limit, else of the machine."""

    async def look() -> CheckResult:
        own = psutil.Process().memory_info().rss
        limit = _container_limit()
        machine = psutil.virtual_memory()
        percent = machine.percent if limit is None else 100 * own / limit
        facts = {"rss": own, "limit": limit or machine.total, "used_percent": round(percent, 1)}
        if percent >= settings.health_memory_percent:
            whose = "the machine's memory" if limit is None else "the memory this container may have"
            return CheckResult.degraded(f"{percent:.0f} % of {whose} is in use", **facts)
        return CheckResult.up(**facts)

    return Check("memory", look, gates_ready=False)


def cpu_check(settings: Settings, times: Callable[[], tuple[float, float]] | None = None) -> Check:
    """This process's own processor time, over the last minute and against what it may use. `times` gives (moment,
    seconds of processor time so far)."""
    now = times or _processor_times
    cores = _allotted_cores()
    samples = deque([now()])

    async def look() -> CheckResult:
        moment, used = now()
        # One sample from before the window is kept, so that there is always a minute to look back on.
        while len(samples) > 1 and samples[1][0] <= moment - _OVER_SECONDS:
            samples.popleft()
        began, before = samples[0]
        percent = 100 * (used - before) / max(moment - began, 1.0) / cores
        samples.append((moment, used))
        facts = {"used_percent": round(percent, 1), "cores": cores, "load_1m": round(os.getloadavg()[0], 2)}
        if percent >= settings.health_cpu_percent:
            return CheckResult.degraded(f"{percent:.0f} % of {cores:g} cores over the last minute", **facts)
        return CheckResult.up(**facts)

    return Check("cpu", look, gates_ready=False)


def disk_check(settings: Settings) -> Check:
    async def look() -> CheckResult:
        folder = settings.data_dir
        disk = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists()))
        least = settings.health_disk_free_bytes
        facts = {"free": disk.free, "total": disk.total}
        reason = f"{disk.free / 1e9:.1f} GB free at the data directory; free some, or move it"
        if disk.free < least / 10:
            return CheckResult.down(reason, **facts)
        return CheckResult.degraded(reason, **facts) if disk.free < least else CheckResult.up(**facts)

    return Check("disk", look, gates_ready=False)


class LetterCount:
    """How many dead letters there are, counted once for all who ask at the same time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._counting: asyncio.Task[dict[LetterKind, int]] | None = None

    async def get(self) -> dict[LetterKind, int]:
        return await asyncio.shield(self._begin())

    async def find(self) -> int | None:
        """All together; None while the database does not say."""
        counting = self._begin()
        await asyncio.wait({counting}, timeout=_PATIENCE_SECONDS)
        if not counting.done() or counting.exception() is not None:
            return None
        return sum(counting.result().values())

    def _begin(self) -> asyncio.Task[dict[LetterKind, int]]:
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._count(), name="count dead letters")
        return self._counting

    async def _count(self) -> dict[LetterKind, int]:
        async with self._runtime.database.system() as session:
            return await self._runtime.letters.tally(session)


def breaker_check(letters: LetterCount, registry: Registry = PROCESS) -> Check:
    """Which upstreams this process does not call because they keep failing. That is their illness: nothing of it keeps
    traffic away from us."""

    async def look() -> CheckResult:
        states = registry.states()
        facts: dict[str, Any] = {
            "state": _worst(states.values()),
            "dlqSize": await letters.find(),
            "breakers": {shown_name(name): state for name, state in states.items()},
        }
        broken = [shown_name(name) for name, state in states.items() if state == "open"]
        if broken:
            return CheckResult.degraded(f"not calling {', '.join(broken)}, which keeps failing", **facts)
        return CheckResult.up(**facts)

    return Check("circuit_breaker", look, gates_ready=False, shown_as="circuitBreaker")


def upstream_check(vendor: str, registry: Registry = PROCESS) -> Check:
    """One vendor's API, as this process has found it: nothing is asked of it for the purpose."""

    async def look() -> CheckResult:
        states = [state for name, state in registry.states().items() if vendor_of(name) == vendor]
        facts = {"breakers": dict(Counter(states))}
        if "open" in states:
            count = states.count("open")
            return CheckResult.degraded(f"{count} of {len(states)} upstreams keep failing and are not called", **facts)
        return CheckResult.up(**facts)

    return Check(f"{vendor}_api", look, gates_ready=False)


def letters_check(letters: LetterCount, settings: Settings) -> Check:
    async def look() -> CheckResult:
        tally = await letters.get()
        size = sum(tally.values())
        facts: dict[str, Any] = {"size": size, **{kind.value: count for kind, count in tally.items()}}
        if size >= settings.health_dead_letters:
            return CheckResult.degraded(f"{size:,} wait for somebody; see: syncline dead-letters list", **facts)
        return CheckResult.up(**facts)

    return Check("dead_letters", look, gates_ready=False, shown_as="deadLetters")


def webhooks_check(runtime: Runtime) -> Check:
    """Whether what Shopify sends can be verified. Of the whole installation; which stores, the log says and `webhooks
    check` of each."""

    async def look() -> CheckResult:
        async with runtime.database.system() as session:
            closed = await count_unverifiable(session, clock.now() - _CLOSED_WITHIN)
        if closed:
            return CheckResult.degraded(
                f"webhooks of {closed:,} shops were refused within the last hour: their secret cannot be opened;"
                " put back its key, or enter the secret again. See: syncline webhooks check",
                unverifiable_shops=closed,
            )
        return CheckResult.up(unverifiable_shops=0)

    return Check("webhooks", look, gates_ready=False)


def queue_check(runtime: Runtime, settings: Settings) -> Check:
    """Whether workers and relays keep up, wherever they run."""

    async def look() -> CheckResult:
        async with runtime.database.system() as session:
            jobs = await runtime.queue.lag(session)
            events = await find_backlog(session)
        late = {"job": jobs.overdue, "event": events.oldest}
        facts: dict[str, Any] = {
            "waiting": jobs.waiting,
            "running": jobs.running,
            "oldest_seconds": round(jobs.overdue.total_seconds(), 1),
            "events": {
                "waiting": events.unsent + events.undelivered,
                "oldest_seconds": round(events.oldest.total_seconds(), 1),
            },
        }
        behind = [
            f"a due {what} has waited {age.total_seconds():,.0f} s"
            for what, age in late.items()
            if age.total_seconds() >= settings.health_lag_seconds
        ]
        if behind:
            return CheckResult.degraded(f"{' and '.join(behind)}: is a worker running, and are there enough?", **facts)
        return CheckResult.up(**facts)

    return Check("queue", look, gates_ready=False)


def make_checks(runtime: Runtime, settings: Settings, access: Access, counts: object) -> list[Check]:
    """Of every process, whatever its roles. The database and the vendors stand first, as callers read the list."""
    letters = LetterCount(runtime)
    return [
        database_check(runtime, settings),
        *(upstream_check(vendor) for vendor in VENDORS),
        schema_check(runtime),
        server_check(access),
        redis_check(counts),
        memory_check(settings),
        cpu_check(settings),
        disk_check(settings),
        breaker_check(letters),
        letters_check(letters, settings),
        webhooks_check(runtime),
        queue_check(runtime, settings),
    ]


def _worst(states: Iterable[str]) -> str:
    found = set(states)
    return next((state for state in ("open", "half-open") if state in found), "closed")


def _container_limit() -> int | None:
    try:
        said = (_CGROUP / "memory.max").read_text().strip()
    except OSError:
        return None
    return int(said) if said.isdigit() else None


def _allotted_cores() -> float:
    """What the container may use, or how many processors this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = float(len(affinity(0)) if affinity else os.cpu_count() or 1)
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return cores
    return min(cores, int(quota) / int(period)) if quota.isdigit() else cores


def _processor_times() -> tuple[float, float]:
    return time.monotonic(), time.process_time()
