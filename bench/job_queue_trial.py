"""Which library carries `runtime/jobs`: PgQueuer or Procrastinate, tried on what Syncline asks of it.

Both run on the same fresh PostgreSQL, through psycopg 3, with their own workers as they ship; beside them runs what we
made of the chosen one. What passes and what does not is printed as a table; `--write-docs` puts that table between the
markers of docs/adr/0003-job-queue.md. Takes about five minutes.

    python -m bench.job_queue_trial [--url postgresql://...] [--jobs 5000] [--write-docs]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import structlog
from bench.job_queue_candidates import CANDIDATES, LEASE, Candidate, Handler

from syncline.runtime.db.server import ensure_server

ADR = Path(__file__).parents[1] / "docs" / "adr" / "0003-job-queue.md"
MARKERS = ("<!-- trial:begin -->", "<!-- trial:end -->")


@dataclass
class Result:
    """One candidate's column: what was asked -> (passed, what was seen)."""

    name: str
    rows: dict[str, tuple[bool | None, str]] = field(default_factory=dict)

    def put(self, question: str, *, passed: bool | None, seen: str) -> None:
        self.rows[question] = (passed, seen)


class Trial:
    """All questions to one candidate, on a database of its own."""

    def __init__(self, candidate: Candidate, url: str, jobs: int) -> None:
        self.candidate = candidate
        self.url = url
        self.jobs = jobs
        self.result = Result(candidate.name)

    async def enqueue(self, *jobs: tuple[str, int]) -> list[int]:
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            return await self.candidate.enqueue(connection, jobs)

    def start(self, handlers: Mapping[str, Handler], **options: Any) -> tuple[asyncio.Event, asyncio.Task[None]]:
        stop = asyncio.Event()
        return stop, asyncio.create_task(_as_task(self.candidate.work(self.url, handlers, stop, **options)))

    async def run_until(self, done: asyncio.Event, handlers: Mapping[str, Handler], limit_s: float, **o: Any) -> bool:
        stop, task = self.start(handlers, **o)
        reached = await _within(done, limit_s)
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        return reached

    async def run(self) -> Result:
        await self.candidate.install(self.url)
        await self.throughput()
        await self.callers_transaction()
        await self.priorities()
        await self.cancel_queued()
        await self.cancel_running()
        await self.schedule()
        await self.take_over()
        await self.fairness()
        await self.owner()
        await self.cut_connection()
        return self.result

    async def throughput(self) -> None:
        done, count = asyncio.Event(), 0

        async def handler(_: int, __: Callable[[], bool]) -> None:
            nonlocal count
            count += 1
            if count == self.jobs:
                done.set()

        enqueue_from = time.perf_counter()
        await self.enqueue(*[("trial.noop", 0)] * self.jobs)
        enqueue_s = time.perf_counter() - enqueue_from
        stop, task = self.start({"trial.noop": handler}, concurrency=200)
        wall, cpu = time.perf_counter(), _cpu_s()
        reached = await _within(done, 120)
        wall, cpu = time.perf_counter() - wall, _cpu_s() - cpu
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        rate = count / wall
        self.result.put("no-op jobs/s (over 3,000 asked)", passed=reached and rate > 3000, seen=f"{rate:,.0f}")
        self.result.put("client CPU, ms/job", passed=None, seen=f"{cpu / max(1, count) * 1000:.2f}")
        self.result.put("enqueued in one transaction, jobs/s", passed=None, seen=f"{self.jobs / enqueue_s:,.0f}")

    async def callers_transaction(self) -> None:
        ran: list[int] = []
        done = asyncio.Event()

        async def handler(job: int, _: Callable[[], bool]) -> None:
            ran.append(job)
            done.set()

        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            await self.candidate.enqueue(connection, [("trial.tx", 0)])
            await connection.rollback()
            kept = await self.candidate.enqueue(connection, [("trial.tx", 0)])
        await self.run_until(done, {"trial.tx": handler}, 10)
        self.result.put(
            "enqueue joins the caller's transaction", passed=ran == kept, seen="rolled back: no job; committed: one job"
        )

    async def priorities(self) -> None:
        order: list[int] = []
        done = asyncio.Event()

        async def handler(job: int, _: Callable[[], bool]) -> None:
            order.append(job)
            if len(order) == 40:
                done.set()

        await self.enqueue(*[("trial.prio", 0)] * 20)
        high = set(await self.enqueue(*[("trial.prio", 5)] * 20))
        await self.run_until(done, {"trial.prio": handler}, 20, concurrency=2)
        first = len(high & set(order[:20]))
        self.result.put("priorities", passed=first >= 19, seen=f"{first} of the first 20 were the urgent 20")

    async def cancel_queued(self) -> None:
        ran: list[int] = []
        done = asyncio.Event()

        async def handler(job: int, _: Callable[[], bool]) -> None:
            ran.append(job)
            done.set()

        kept, dropped = await self.enqueue(("trial.cancel", 0), ("trial.cancel", 0))
        await self.candidate.cancel(self.url, dropped)
        await self.run_until(done, {"trial.cancel": handler}, 5)
        self.result.put("cancel a waiting job", passed=ran == [kept], seen="did not run")

    async def cancel_running(self) -> None:
        started, done = asyncio.Event(), asyncio.Event()

        async def handler(_: int, cancelled: Callable[[], bool]) -> None:
            started.set()
            try:
                while not cancelled():  # noqa: ASYNC110 - a handler asks, nothing wakes it
                    await asyncio.sleep(0.02)
            finally:  # Procrastinate cancels the task as well
                done.set()

        (job,) = await self.enqueue(("trial.abort", 0))
        stop, task = self.start({"trial.abort": handler})
        await _within(started, 5)
        began = time.perf_counter()
        await self.candidate.cancel(self.url, job)
        reached = await _within(done, 10)
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        self.result.put("cancel a running job", passed=reached, seen=f"told after {time.perf_counter() - began:.1f} s")

    async def schedule(self) -> None:
        fired: list[float] = []

        async def handler(_: int, __: Callable[[], bool]) -> None:
            fired.append(time.time())

        workers = [self.start({"trial.tick": handler}, every="trial.tick") for _ in range(2)]
        await asyncio.sleep(10.5)
        for stop, _ in workers:
            stop.set()
        await asyncio.gather(*[task for _, task in workers], return_exceptions=True)
        # Three or four fall into the time, and the last one before it may be made up; two workers firing each would
        # make six or more.
        seen = f"{len(fired)} firings in 10.5 s of a schedule of 3 s, two workers"
        self.result.put("schedules fire once", passed=2 <= len(fired) <= 5, seen=seen)

    async def take_over(self) -> None:
        again = asyncio.Event()

        async def handler(_: int, __: Callable[[], bool]) -> None:
            again.set()

        await self.enqueue(("trial.long", 0))
        command = [sys.executable, "-m", "bench.job_queue_trial", "--victim", self.candidate.name, "--url", self.url]
        victim = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert victim.stdout is not None
        await asyncio.wait_for(victim.stdout.readline(), 20)
        stop, task = self.start({"trial.long": handler})
        await asyncio.sleep(1)
        os.kill(victim.pid, signal.SIGKILL)
        await victim.wait()
        began = time.perf_counter()
        reached = await _within(again, 20)
        took = time.perf_counter() - began
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        self.result.put(
            "take-over after kill -9 (under 10 s asked)",
            passed=reached and took < 10,
            seen=f"{took:.1f} s with a lease of {LEASE.seconds} s",
        )

    async def fairness(self) -> None:
        for question, limits in (
            ("fairness as it ships: ten jobs behind a flood", None),
            ("fairness with two at a time for the flood", {"trial.flood": 2}),
        ):
            share = await self._share_of_flood_before_small(limits)
            seen = f"the last of 10 came after {share:.0%} of the flood"
            self.result.put(question, passed=share < 0.5, seen=seen)

    async def _share_of_flood_before_small(self, limits: Mapping[str, int] | None) -> float:
        order: list[str] = []
        done = asyncio.Event()

        def record(name: str) -> Handler:
            async def handler(_: int, __: Callable[[], bool]) -> None:
                await asyncio.sleep(0.005)
                order.append(name)
                if len(order) == 210:
                    done.set()

            return handler

        await self.enqueue(*[("trial.flood", 0)] * 200)
        await self.enqueue(*[("trial.small", 0)] * 10)
        names = ("trial.flood", "trial.small")
        await self.run_until(done, {n: record(n) for n in names}, 90, limits=limits)
        last = max((i for i, n in enumerate(order) if n == "trial.small"), default=len(order))
        return order[:last].count("trial.flood") / 200

    async def owner(self) -> None:
        await self.enqueue(("trial.owner", 0))
        refused = await self.candidate.finish_as_stranger(self.url)
        seen = "refused" if refused else "accepted: the new owner's job is gone"
        self.result.put("a worker that lost its job reports it done", passed=refused, seen=seen)

    async def cut_connection(self) -> None:
        done = asyncio.Event()

        async def handler(_: int, __: Callable[[], bool]) -> None:
            done.set()

        _, task = self.start({"trial.cut": handler})
        await asyncio.sleep(1)
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await asyncio.sleep(1)
        await self.enqueue(("trial.cut", 0))
        reached = await _within(done, 10)
        seen = "goes on" if reached else ("its run() ended" if task.done() else "alive, takes no more jobs")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self.result.put("worker whose connections are cut", passed=reached, seen=seen)


async def _as_task(work: Awaitable[None]) -> None:
    await work


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _victim(name: str, url: str) -> None:
    """The worker that will be killed: takes one job, says so, and never finishes it."""
    candidate = next(c for c in CANDIDATES if c.name == name)

    async def handler(_: int, __: Callable[[], bool]) -> None:
        print("started", flush=True)
        await asyncio.sleep(3600)

    await candidate.work(url, {"trial.long": handler}, asyncio.Event())


def render(results: Sequence[Result]) -> str:
    """The table as Markdown, one column per candidate."""
    head = ["", *[r.name for r in results]]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for question in results[0].rows:
        cells = [question]
        for result in results:
            passed, seen = result.rows[question]
            cells.append(f"{'' if passed is None else 'yes: ' if passed else '**no**: '}{seen}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_docs(table: str) -> None:
    begin, end = MARKERS
    text = ADR.read_text(encoding="utf-8")
    before, rest = text.split(begin, 1)
    after = rest.split(end, 1)[1]
    ADR.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")


async def _main(url: str, jobs: int) -> list[Result]:
    results = []
    for number, candidate in enumerate(CANDIDATES):
        name = f"trial_{number}"
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await connection.execute(f"CREATE DATABASE {name}")
        own = psycopg.conninfo.make_conninfo(url, dbname=name)
        results.append(await Trial(candidate, own, jobs).run())
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    return results


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    arguments.add_argument("--url", help="a PostgreSQL superuser's URL; without it a server of our own is started")
    arguments.add_argument("--jobs", type=int, default=5000)
    arguments.add_argument("--write-docs", action="store_true")
    arguments.add_argument("--victim", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    warnings.simplefilter("ignore")
    if given.victim:
        asyncio.run(_victim(given.victim, given.url))
        return
    with tempfile.TemporaryDirectory(prefix="job-queue-trial-") as folder:
        server = None if given.url else ensure_server(Path(folder))
        url = given.url or (server.url("operator") if server else "")
        try:
            table = render(asyncio.run(_main(url, given.jobs)))
        finally:
            if server:
                server.close()
    print(table)
    if given.write_docs:
        write_docs(table)


if __name__ == "__main__":
    main()
