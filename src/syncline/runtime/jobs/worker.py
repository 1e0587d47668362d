"""The worker: takes jobs, runs them, keeps them while they run, and gives back what it cannot finish."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg

from syncline.kernel.errors import Unavailable
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import metrics, store
from syncline.runtime.jobs.attempt import Attempt, Ended, end_before_start
from syncline.runtime.jobs.job import Job, JobContext, Schedule
from syncline.runtime.jobs.lanes import Turns, app_of, behind, tenant_of
from syncline.runtime.jobs.link import Link, Listener, Pause
from syncline.runtime.jobs.schedule import declare, fire_due
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

LEASE = timedelta(seconds=6)
"""Silence after which a worker counts as dead. All workers of one database use the same."""

_BEAT_S = 1.0
_FORGET_EVERY_S = 3600.0
_LOG_KEPT = timedelta(days=7)
_LOOK_WHEN_FULL_S = 0.05
_LAST_WORDS_S = 5.0


class Worker:
    """Runs the jobs of the given kinds, `concurrency` at a time, in one event loop. Where jobs of one tenant hold every
    place, such as those of a store that hangs, a tenant with less than its share running gets it beyond that number, up
    to twice as many: it does not wait for the other's vendor. No attempt runs longer than `time_limit`.

    Kept alive by a heartbeat each second from that same loop: a loop that is busy for longer than `LEASE` less a second
    loses its jobs, which is noticed, logged and harmless, since only the present owner can end a job. A lost database
    connection is replaced while handlers go on.
    """

    def __init__(
        self,
        database: Database,
        jobs: Sequence[Job],
        *,
        runtime: Any,
        concurrency: int = 4,
        schedules: Iterable[Schedule] = (),
        grace: timedelta = timedelta(seconds=20),
        time_limit: timedelta | None = None,
    ) -> None:
        self.id = uuid4()
        self._database = database
        self._jobs = {job.name: job for job in jobs}
        self._apps = sorted({app_of(job.name) for job in jobs})
        self._runtime = runtime
        self._concurrency = concurrency
        self._schedules = tuple(schedules)
        self._grace = grace
        self._time_limit = time_limit
        self._link = Link(database)
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._running: set[Attempt] = set()
        self._ended: list[Ended] = []
        self._turns = Turns()
        self._declared = False
        self._next_beat = 0.0
        self._next_forget = 0.0
        self._next_look = 0.0
        unknown = {s.job for s in self._schedules} - set(self._jobs)
        if unknown:
            raise LookupError(f"schedules for jobs that nobody declares: {', '.join(sorted(unknown))}")

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set; then waits `grace` for what runs, and hands back the rest. A mistake in the
        queue's own statements or tables rises; a database that is away is waited for."""
        pause, self._stop = Pause(), stop
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._wake.set())
        try:
            async with Listener(self._database, [store.CHANNEL], self._on_note):
                while not stop.is_set():
                    if await self._turn(pause):
                        await self._rest()
                await self._wind_down(pause)
        finally:
            stopping.cancel()
            await self._interrupt_all()
            await self._link.drop()

    def hurry(self) -> None:
        """No more grace: what still runs is interrupted and handed back at once."""
        self._grace = timedelta(0)
        self._wake.set()

    async def _turn(self, pause: Pause) -> bool:
        """One round: say that we live, write what ended, take what is next. True when there is nothing more at once."""
        self._wake.clear()
        try:
            connection = await self._link.get()
            if time.monotonic() >= self._next_beat:
                await self._beat(connection)
            await self._settle(connection)
            taken = await self._claim(connection)
        except (psycopg.OperationalError, Unavailable) as error:
            log.warning("the worker's database connection was lost", error=str(error), running=len(self._running))
            await self._link.drop()
            await pause.wait()
            return False
        pause.reset()
        return taken == 0 and not self._ended

    async def _rest(self) -> None:
        until = min(self._next_beat, self._next_look) if self._is_full else self._next_beat
        wait = max(0.0, until - time.monotonic())
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return

    def _on_note(self, _channel: str, payload: str) -> None:
        if payload == store.CANCEL_NOTE:
            self._next_beat = 0.0  # the heartbeat is what learns of it
        self._wake.set()

    async def _beat(self, connection: store.Connection) -> None:
        """Our own heartbeat comes before looking for the dead, so that a loop that was stuck does not free its own."""
        ids = [a.claim.job_id for a in self._running]
        ids += [e.claim.job_id for e in self._ended]  # not written yet, so still ours
        owned = await store.beat(connection, self.id, ids) if ids else {}
        self._next_beat = time.monotonic() + _BEAT_S
        for attempt in self._running:
            attempt.tell(owned.get(attempt.claim.job_id))
        stalled = [attempt.claim.job_id for attempt in self._running if attempt.lost]
        if stalled:  # we were taken for dead and are not, so none of them is what kills workers
            await store.revive(connection, stalled)
        if await store.catch_up(connection):
            log.warning(
                "numbers of jobs had been set back, as a dump does that is put back; they go on behind the last"
            )
        for job_id, job in await store.free_dead(connection, LEASE):
            metrics.FREED.labels(job=job).inc()
            log.warning("took a job from a worker that fell silent", job=job, job_id=job_id)
        if not self._declared:
            await declare(connection, self._schedules)
            self._declared = True
        await fire_due(connection, self._schedules, self._jobs)
        if time.monotonic() >= self._next_forget:
            await store.forget(connection, _LOG_KEPT)
            self._next_forget = time.monotonic() + _FORGET_EVERY_S

    @property
    def _is_full(self) -> bool:
        return len(self._running) >= self._concurrency

    async def _claim(self, connection: store.Connection) -> int:
        is_over = self._is_full
        if self._stop.is_set() or not self._apps or (is_over and time.monotonic() < self._next_look):
            return 0
        heads = await store.heads(connection, self._apps)
        running = Counter(tenant_of(a.claim.lane) for a in self._running)
        if is_over:
            heads = behind(heads, running, self._concurrency)
        free = self._concurrency * (2 if is_over else 1) - len(self._running)
        lanes = self._turns.order(heads, running, free)
        taken = 0
        for lane in lanes:
            if self._stop.is_set():  # since we looked: what it waits for may be an end that made room
                break
            claims = await store.claim(connection, self.id, lane, 1 if is_over else max(1, free // len(lanes)))
            if claims:
                self._turns.served(lane)
            for claim in claims:
                self._start(claim)
            taken += len(claims)
        if is_over and not taken:
            self._next_look = time.monotonic() + _LOOK_WHEN_FULL_S
        return taken

    def _start(self, claim: store.Claim) -> None:
        job = self._jobs.get(claim.job)
        ended = end_before_start(claim, job)
        if ended is not None or job is None:
            self._ended += [ended] if ended else []
            return
        if claim.attempts == 0:
            waited = time.time() - claim.enqueued_at.timestamp()
            metrics.WAITED.labels(job=claim.job).observe(max(0.0, waited))
        attempt = Attempt(claim, job, limit=self._time_limit)
        self._running.add(attempt)
        attempt.start(self._runtime, _hold, self._on_end)

    def _on_end(self, attempt: Attempt) -> None:
        self._running.discard(attempt)
        self._next_look = 0.0
        assert attempt.task is not None
        if attempt.task.cancelled():  # before it ran its first step
            self._ended.append(Ended(attempt.claim, attempt.stopped_as))
        else:
            self._ended.append(attempt.task.result())
        self._wake.set()

    async def _settle(self, connection: store.Connection) -> None:
        """Write how attempts ended. What a lost connection leaves unwritten stays in the list for the next turn, and so
        does what ends while this writes."""
        done = [e for e in self._ended if e.kind in _STATUS]
        other = [e for e in self._ended if e.kind not in _STATUS]
        if done:
            ours = await store.finish(connection, [(e.claim.token, _STATUS[e.kind]) for e in done])
            for each in done:
                self._settled(each, kept=each.claim.job_id in ours)
        for each in other:
            self._settled(each, kept=await _write(connection, each))

    def _settled(self, ended: Ended, *, kept: bool) -> None:
        self._ended.remove(ended)
        outcome = ended.kind if kept else "taken_over"
        metrics.FINISHED.labels(job=ended.claim.job, outcome=outcome).inc()
        if not kept:
            log.warning(
                "an attempt ended after its job was taken over; its outcome is not kept",
                job=ended.claim.job,
                job_id=ended.claim.job_id,
                attempt=ended.claim.attempts + 1,
                outcome=ended.kind,
            )

    async def _wind_down(self, pause: Pause) -> None:
        for attempt in self._running:
            attempt.signals.stopping = True
        began = time.monotonic()
        while self._running and time.monotonic() < began + self._grace.total_seconds():
            if await self._turn(pause):
                await self._rest()
        await self._interrupt_all()
        last_call = time.monotonic() + LEASE.total_seconds()
        while self._ended and time.monotonic() < last_call:
            await self._turn(pause)
        if self._ended:
            log.error("the database is away; the jobs are taken over once it is back", jobs=len(self._ended))

    async def _interrupt_all(self) -> None:
        for attempt in self._running:
            attempt.interrupt()
        tasks = [a.task for a in self._running if a.task]
        if tasks:
            _, deaf = await asyncio.wait(tasks, timeout=_LAST_WORDS_S)
            for task in deaf:
                log.error("a job does not stop when told to", task=task.get_name())


_STATUS = {"successful": "successful", "cancelled": "canceled"}


async def _write(connection: store.Connection, ended: Ended) -> bool:
    """False when the job was no longer ours."""
    token = ended.claim.token
    if ended.kind == "retry":
        return await store.put_back(connection, token, ended.wait, counts=True, error=ended.error)
    if ended.kind == "handed_back":
        return await store.put_back(connection, token, ended.wait, counts=False, error=None)
    if ended.kind == "dead":
        return await store.bury(connection, token, ended.reason, ended.error, counts=ended.counts)
    assert ended.kind == "taken_over", ended.kind
    return False


async def _hold(context: JobContext, session: WriteSession) -> bool:
    assert context.worker_id is not None
    token = store.Token(context.job_id, context.worker_id, context.attempt - 1)
    return await store.hold(await session.driver(), token)
