"""One attempt at one job: runs the handler and says how it ended. Touches no table of the queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from syncline.kernel.errors import SynclineError
from syncline.kernel.ids import new_id
from syncline.runtime.connect.deadline import Deadline, within
from syncline.runtime.jobs import metrics, store
from syncline.runtime.jobs.job import Job, JobCancelled, JobContext, JobTakenOver, Signals
from syncline.runtime.jobs.retry import GiveUp, judge
from syncline.runtime.observe.correlation import correlated
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

Kind = Literal["successful", "cancelled", "retry", "dead", "handed_back", "taken_over"]
_UNKNOWN_JOB_WAIT = timedelta(seconds=5)
_NO_WAIT = timedelta(0)


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended; what the worker writes to the queue. `error` is what is kept of the failure."""

    claim: store.Claim
    kind: Kind
    wait: timedelta = _NO_WAIT
    reason: str = ""
    error: Exception | None = None
    counts: bool = True
    """False for what ended without being run."""


@dataclass(slots=True, eq=False)
class Attempt:
    """A claimed job and, once started, the task that runs it."""

    claim: store.Claim
    job: Job
    signals: Signals = field(default_factory=Signals)
    limit: timedelta | None = None
    """How long it may run, which is also how long its calls to vendors may."""

    lost: bool = False
    interrupted: bool = False
    task: asyncio.Task[Ended] | None = None

    def start(
        self,
        runtime: Any,
        hold_in: Callable[[JobContext, Any], Awaitable[bool]],
        on_end: Callable[[Attempt], None],
    ) -> None:
        context = JobContext(
            runtime=runtime,
            job_id=self.claim.job_id,
            attempt=self.claim.attempts + 1,
            tenant=self.claim.tenant,
            signals=self.signals,
            worker_id=self.claim.worker,
            hold_in=hold_in,
        )
        self.task = asyncio.create_task(self._run(context), name=f"job {self.job.name} {self.claim.job_id}")
        self.task.add_done_callback(lambda _: on_end(self))

    def tell(self, owned: store.Owned | None) -> None:
        """What the last heartbeat found of the job: still ours, cancelled, or gone to another worker."""
        if owned is None or owned.attempts != self.claim.attempts:
            if not self.lost:  # once: a second cancel would cut short how the handler cleans up
                self.lost = True
                self.interrupt()
        elif owned.cancel:
            self.signals.cancel = True

    def interrupt(self) -> None:
        self.interrupted = True
        if self.task is not None:
            self.task.cancel()

    @property
    def stopped_as(self) -> Kind:
        """How an interrupted attempt ended: the job went to another worker, or this one is stopping."""
        return "taken_over" if self.lost else "handed_back"

    async def _run(self, context: JobContext) -> Ended:
        began = time.perf_counter()
        running = metrics.RUNNING.labels(job=self.job.name)
        running.inc()
        try:
            with correlated(self.claim.correlation or new_id().hex):
                return await self._end(context)
        finally:
            running.dec()
            metrics.SECONDS.labels(job=self.job.name).observe(time.perf_counter() - began)

    async def _end(self, context: JobContext) -> Ended:
        try:
            await self._run_in_time(context)
        except asyncio.CancelledError:
            if self.interrupted:
                return Ended(self.claim, self.stopped_as)
            # Not our doing: the handler awaited something that was cancelled, which is a failure like any other.
            return self._failed(context, RuntimeError("the handler was cancelled from within"))
        except JobTakenOver:
            return Ended(self.claim, "taken_over")
        except JobCancelled:
            return Ended(self.claim, "cancelled")
        except Exception as error:  # noqa: BLE001 - the edge of the job: whatever it raised is judged and kept
            return self._failed(context, error)
        return Ended(self.claim, "cancelled" if self.signals.cancel_seen else "successful")

    async def _run_in_time(self, context: JobContext) -> None:
        seconds = None if self.limit is None else self.limit.total_seconds()
        timer = asyncio.timeout(seconds)
        try:
            with within(Deadline.after(self.limit)):
                async with timer:
                    await self.job.run(context, self.claim.payload)
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise TookTooLong(
                f"was not done within {seconds:g} seconds and was stopped (SYNCLINE_JOB_SECONDS)"
            ) from error

    def _failed(self, context: JobContext, error: Exception) -> Ended:
        verdict = judge(error, context.attempt, self.job.retry)
        if self.signals.cancel:
            return Ended(self.claim, "cancelled")
        said = {"job": self.job.name, "job_id": context.job_id, "attempt": context.attempt, "reason": verdict.reason}
        if isinstance(verdict, GiveUp):
            # What was foreseen has its sentence; where it was raised from tells nothing more.
            log.error("job given up", exc_info=None if isinstance(error, SynclineError) else error, **said)
            return Ended(self.claim, "dead", reason=verdict.reason, error=error)
        log.warning("job failed and is tried again", wait_s=round(verdict.wait.total_seconds(), 3), **said)
        return Ended(self.claim, "retry", wait=verdict.wait, reason=verdict.reason, error=error)


class TookTooLong(SynclineError):
    """An attempt was stopped at its time limit; it is tried again like one that failed."""


def end_before_start(claim: store.Claim, job: Job | None) -> Ended | None:
    """What is decided without running it: a kind this release does not know is left to another worker, a cancelled job
    stays cancelled, and one that took its workers down, or was tried as often as the policy allows, is given to no
    other."""
    if job is None:
        log.warning("a job of an unknown kind is left to other workers", job=claim.job, job_id=claim.job_id)
        return Ended(claim, "handed_back", wait=_UNKNOWN_JOB_WAIT)
    if claim.cancel:
        return Ended(claim, "cancelled")
    if claim.deaths >= min(job.retry.deaths_allowed, job.retry.max_attempts):
        times = {1: "once", 2: "twice"}.get(claim.deaths, f"{claim.deaths} times")
        return _isolated(claim, f"killed its worker {times} in a row; see what became of the process before a retry")
    if claim.attempts >= job.retry.max_attempts:
        reason = f"given up after {claim.attempts} attempts, the last of which ended with its worker: killed or stuck"
        return _isolated(claim, reason)
    return None


def _isolated(claim: store.Claim, reason: str) -> Ended:
    log.error("job given up", job=claim.job, job_id=claim.job_id, attempt=claim.attempts, reason=reason)
    return Ended(claim, "dead", reason=reason, counts=False)
