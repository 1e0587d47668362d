"""The worker on a real database, in the test's own loop."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from prometheus_client import REGISTRY
from prometheus_client.samples import Sample

from syncline.kernel import clock
from syncline.kernel.errors import Fatal, InvalidInput, Retriable
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs import (
    Job,
    JobCancelled,
    JobContext,
    JobQueue,
    RetryPolicy,
    Schedule,
    Worker,
    list_dead_letters,
    replay_dead_letters,
)
from syncline.runtime.jobs.testing import Fleet, eventually
from syncline.runtime.observe.correlation import correlated, correlation_id

FAST = RetryPolicy(max_attempts=3, base=timedelta(milliseconds=1))


class Recorder:
    """A handler that keeps when and with what it was called, waits for `may_end`, and fails as long as `errors`
    lasts."""

    def __init__(self, *errors: Exception, takes_s: float = 0) -> None:
        self.calls: list[tuple[int, int, dict[str, Any]]] = []
        self.at: list[datetime] = []
        self.errors = list(errors)
        self.takes_s = takes_s
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.running = 0
        self.most = 0

    async def __call__(self, context: JobContext, payload: dict[str, Any]) -> None:
        self.calls.append((context.job_id, context.attempt, payload))
        self.at.append(clock.now())
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.takes_s)
            await self.may_end.wait()
        finally:
            self.running -= 1
        if self.errors:
            raise self.errors.pop(0)


def _samples(name: str, **labels: str) -> list[Sample]:
    """Of one metric, those that have these labels: here one per outcome."""
    families = REGISTRY.collect()
    return [s for f in families for s in f.samples if s.name == name and labels.items() <= s.labels.items()]


async def _open_letters(database: Database, tenant: TenantId) -> list[Any]:
    async with database.reading(tenant) as session:
        return list((await list_dead_letters(session, PageRequest())).items)


async def test_two_workers_run_200_jobs_once_each(fleet: Fleet) -> None:
    handler = Recorder(takes_s=0.002)  # so that some end while others are being written
    job = Job("trial.count", handler)
    ids = await fleet.enqueue(job, *[{"n": n} for n in range(200)])
    fleet.start([job], concurrency=8)
    fleet.start([job], concurrency=8)
    await eventually(lambda: len(handler.calls) >= 200, 30)
    await fleet.stop()
    assert Counter(job_id for job_id, _, _ in handler.calls) == Counter(ids)
    assert await fleet.scalar("SELECT count(*) FROM jobs.pgqueuer") == 0
    assert await fleet.scalar("SELECT count(*) FROM jobs.pgqueuer_log WHERE status = 'successful'") == 200
    assert [s.value for s in _samples("syncline_jobs_finished_total", job="trial.count")] == [200]


async def test_higher_priority_runs_first(fleet: Fleet) -> None:
    handler = Recorder()
    job = Job("trial.order", handler)
    low = await fleet.enqueue(job, {}, {})
    high = await fleet.enqueue(job, {}, {}, priority=5)
    fleet.start([job], concurrency=1)
    await eventually(lambda: len(handler.calls) == 4)
    assert [job_id for job_id, _, _ in handler.calls] == [*high, *low]


async def test_run_at_is_waited_for(fleet: Fleet) -> None:
    handler = Recorder()
    job = Job("trial.later", handler)
    due = clock.now() + timedelta(seconds=1.5)
    await fleet.enqueue(job, {}, run_at=due)
    fleet.start([job])
    await eventually(lambda: handler.calls)
    assert handler.at[0] >= due


async def test_flood_of_one_tenant_delays_another_by_little(fleet: Fleet, other_tenant_id: TenantId) -> None:
    handler = Recorder(takes_s=0.005)
    job = Job("trial.fair", handler)
    await fleet.enqueue(job, *[{"flood": True}] * 100)
    await fleet.enqueue(job, *[{}] * 5, tenant=other_tenant_id)
    fleet.start([job], concurrency=2)
    await eventually(lambda: len(handler.calls) == 105)
    small = [place for place, (_, _, payload) in enumerate(handler.calls) if "flood" not in payload]
    assert max(small) < 15


async def test_retriable_is_tried_again_after_its_wait(fleet: Fleet) -> None:
    handler = Recorder(Retriable("The shop is busy.", wait=timedelta(seconds=1)))
    job = Job("trial.busy", handler, retry=FAST)
    await fleet.enqueue(job, {})
    fleet.start([job])
    await eventually(lambda: len(handler.calls) == 2)
    assert handler.at[1] - handler.at[0] >= timedelta(seconds=1)
    assert [attempt for _, attempt, _ in handler.calls] == [1, 2]


async def test_unknown_error_is_tried_as_often_as_the_policy_says(
    fleet: Fleet, database: Database, tenant_id: TenantId
) -> None:
    handler = Recorder(*[OSError("disk \0 gone")] * 3)
    job = Job("trial.breaks", handler, retry=FAST)
    (job_id,) = await fleet.enqueue(job, {"store": "\0"}, priority=3)
    fleet.start([job])
    await eventually(lambda: _open_letters(database, tenant_id))
    (letter,) = await _open_letters(database, tenant_id)
    assert (letter.job_id, letter.job, letter.attempts, letter.priority) == (job_id, "trial.breaks", 3, 3)
    assert letter.reason == "OSError: disk � gone"
    assert letter.payload == {"store": "\0", "tenant_id": str(tenant_id)}
    assert letter.first_at < letter.last_at
    assert len(handler.calls) == 3


@pytest.mark.parametrize("error", [Fatal("The token was revoked."), InvalidInput("The token was revoked.")])
async def test_what_a_person_must_mend_is_given_up_at_once_and_replayed(
    fleet: Fleet, database: Database, tenant_id: TenantId, error: Exception
) -> None:
    handler = Recorder(error)
    job = Job("trial.fatal", handler)
    await fleet.enqueue(job, {"store": 7})
    fleet.start([job])
    await eventually(lambda: _open_letters(database, tenant_id))
    (letter,) = await _open_letters(database, tenant_id)
    assert (letter.reason, letter.attempts) == ("The token was revoked.", 1)
    async with database.writing(tenant_id) as session:
        ids = await replay_dead_letters(JobQueue([job]), session, [letter.id])
        assert await replay_dead_letters(JobQueue([job]), session, [letter.id]) == []
    await eventually(lambda: len(handler.calls) == 2)
    assert handler.calls[1] == (ids[0], 1, {"store": 7, "tenant_id": str(tenant_id)})
    assert await _open_letters(database, tenant_id) == []


async def test_other_tenant_sees_and_replays_no_letter(
    fleet: Fleet, database: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    job = Job("trial.fatal", Recorder(Fatal("No.")))
    await fleet.enqueue(job, {})
    fleet.start([job])
    await eventually(lambda: _open_letters(database, tenant_id))
    (letter,) = await _open_letters(database, tenant_id)
    assert await _open_letters(database, other_tenant_id) == []
    async with database.writing(other_tenant_id) as session:
        assert await replay_dead_letters(JobQueue([job]), session, [letter.id]) == []


async def test_jobs_with_one_lock_never_run_together(fleet: Fleet) -> None:
    handler = Recorder(takes_s=0.02)
    pull = Job("trial.pull", handler, lock=lambda p: f"store:{p['store']}")
    push = Job("trial.push", handler, lock=lambda p: f"store:{p['store']}")
    await fleet.enqueue(pull, *[{"store": 1}] * 5)
    await fleet.enqueue(push, *[{"store": 1}] * 5)
    fleet.start([pull, push], concurrency=4)
    fleet.start([pull, push], concurrency=4)
    await eventually(lambda: len(handler.calls) == 10)
    assert handler.most == 1


async def test_other_locks_run_beside_it(fleet: Fleet) -> None:
    handler = Recorder()
    handler.may_end.clear()
    job = Job("trial.pull", handler, lock=lambda p: str(p["store"]))
    await fleet.enqueue(job, {"store": 1}, {"store": 1}, {"store": 2})
    fleet.start([job], concurrency=4)
    await eventually(lambda: handler.running == 2)
    assert {payload["store"] for _, _, payload in handler.calls} == {1, 2}
    handler.may_end.set()


async def test_running_job_is_told_to_stop(fleet: Fleet, database: Database) -> None:
    seen: list[int] = []

    async def run(context: JobContext, _: dict[str, Any]) -> None:
        seen.append(context.job_id)
        while not await context.cancelled():  # noqa: ASYNC110 - a handler asks, nothing wakes it
            await asyncio.sleep(0.01)
        raise JobCancelled

    job = Job("trial.long", run)
    (job_id,) = await fleet.enqueue(job, {})
    fleet.start([job])
    await eventually(lambda: seen)
    async with database.writing(fleet.tenant) as session:
        assert await JobQueue([job]).find_state(session, job_id) == "running"
        assert await JobQueue([job]).cancel(session, [job_id]) == 1
    await eventually(lambda: fleet.scalar("SELECT count(*) = 0 FROM jobs.pgqueuer"))
    async with database.reading(fleet.tenant) as reading:
        assert await JobQueue([job]).find_state(reading, job_id) == "cancelled"


async def test_cancelled_job_that_fails_is_not_tried_again(fleet: Fleet, database: Database) -> None:
    handler = Recorder(OSError("gone"))
    handler.may_end.clear()
    job = Job("trial.fails", handler, retry=FAST)
    (job_id,) = await fleet.enqueue(job, {})
    fleet.start([job])
    await eventually(lambda: handler.running)
    async with database.writing(fleet.tenant) as session:
        await JobQueue([job]).cancel(session, [job_id])
    handler.may_end.set()
    await eventually(lambda: fleet.scalar("SELECT count(*) = 0 FROM jobs.pgqueuer"))
    assert len(handler.calls) == 1


async def test_stop_lets_running_jobs_finish_and_takes_no_more(fleet: Fleet) -> None:
    handler = Recorder()
    handler.may_end.clear()
    job = Job("trial.slow", handler)
    await fleet.enqueue(job, {}, {})
    fleet.start([job], concurrency=1)
    await eventually(lambda: handler.running)
    stopping = asyncio.create_task(fleet.stop())
    await asyncio.sleep(0)
    handler.may_end.set()
    await stopping
    assert len(handler.calls) == 1
    assert await fleet.scalar("SELECT count(*) FROM jobs.pgqueuer WHERE status = 'queued' AND attempts = 0") == 1
    assert await fleet.scalar("SELECT count(*) FROM jobs.pgqueuer") == 1


async def test_stop_hands_back_what_does_not_finish_in_time(fleet: Fleet) -> None:
    handler = Recorder(takes_s=60)
    job = Job("trial.endless", handler)
    await fleet.enqueue(job, {})
    fleet.start([job], grace=timedelta(seconds=0.1))
    await eventually(lambda: handler.running)
    await fleet.stop()
    assert await fleet.scalar("SELECT status::text FROM jobs.pgqueuer") == "queued"
    assert await fleet.scalar("SELECT attempts FROM jobs.pgqueuer") == 0
    handler.takes_s = 0
    fleet.start([job])
    await eventually(lambda: len(handler.calls) == 2)


async def test_handler_sees_that_the_worker_stops(fleet: Fleet) -> None:
    ended: list[bool] = []

    async def run(context: JobContext, _: dict[str, Any]) -> None:
        while not context.stopping:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.01)
        ended.append(True)

    job = Job("trial.chunks", run)
    await fleet.enqueue(job, {})
    fleet.start([job])
    await eventually(lambda: fleet.scalar("SELECT status = 'picked' FROM jobs.pgqueuer"))
    await fleet.stop()
    assert ended == [True]


async def test_handler_cancelled_from_within_counts_as_failed(
    fleet: Fleet, database: Database, tenant_id: TenantId
) -> None:
    async def run(_: JobContext, __: dict[str, Any]) -> None:
        raise asyncio.CancelledError

    job = Job("trial.odd", run, retry=FAST)
    await fleet.enqueue(job, {})
    fleet.start([job])
    await eventually(lambda: _open_letters(database, tenant_id))


async def test_kind_of_job_this_release_does_not_know_is_left_waiting(fleet: Fleet) -> None:
    newer, known = Job("trial.newer", Recorder()), Job("trial.known", Recorder())
    await fleet.enqueue(newer, {})
    fleet.start([known])
    await eventually(lambda: fleet.scalar("SELECT execute_after > now() FROM jobs.pgqueuer"))
    assert await fleet.scalar("SELECT attempts FROM jobs.pgqueuer") == 0


async def test_worker_of_another_app_leaves_the_job_alone(fleet: Fleet) -> None:
    ours, theirs = Job("ours.work", Recorder()), Job("theirs.work", Recorder())
    await fleet.enqueue(theirs, {})
    (own,) = await fleet.enqueue(ours, {})
    fleet.start([ours])
    await eventually(lambda: fleet.scalar("SELECT count(*) = 0 FROM jobs.pgqueuer WHERE id = %s", own))
    assert await fleet.scalar("SELECT count(*) FROM jobs.pgqueuer_log WHERE status = 'picked'") == 1


async def test_context_tells_whose_job_it_is(fleet: Fleet) -> None:
    seen: list[Any] = []

    async def run(context: JobContext, payload: dict[str, Any]) -> None:
        seen.append((context.runtime, context.tenant_id, payload["tenant_id"], correlation_id()))

    job = Job("trial.context", run)
    with correlated("request-1"):
        await fleet.enqueue(job, {})
    fleet.runtime = "the runtime"
    fleet.start([job])
    await eventually(lambda: seen)
    assert seen == [("the runtime", fleet.tenant, str(fleet.tenant), "request-1")]


def test_system_job_has_no_tenant() -> None:
    with pytest.raises(LookupError, match="no tenant"):
        _ = JobContext(runtime=None, job_id=1, attempt=1, tenant=None).tenant_id


async def test_loop_that_is_busy_for_two_seconds_keeps_its_job(fleet: Fleet) -> None:
    calls: list[int] = []

    async def run(context: JobContext, _: dict[str, Any]) -> None:
        calls.append(context.attempt)
        time.sleep(2)  # noqa: ASYNC251 - a busy loop is what this is about
        await asyncio.sleep(1.5)

    job = Job("trial.busy", run)
    await fleet.enqueue(job, {})
    fleet.start([job])
    await eventually(lambda: fleet.scalar("SELECT count(*) = 0 FROM jobs.pgqueuer"))
    assert calls == [1]


async def test_schedule_of_an_undeclared_job_is_refused(database: Database) -> None:
    with pytest.raises(LookupError, match=r"trial\.absent"):
        Worker(database, [], runtime=None, schedules=[Schedule("trial.absent", "* * * * *")])


async def test_missing_tables_stop_the_worker(database: Database) -> None:
    worker = Worker(database, [Job("trial.x", Recorder())], runtime=None)
    with psycopg.connect(database.operator_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE jobs.pgqueuer RENAME TO gone")
    with pytest.raises(psycopg.errors.UndefinedTable):
        await asyncio.wait_for(worker.run(asyncio.Event()), 60)


async def test_a_worker_in_a_hurry_hands_back_at_once_what_it_would_have_waited_for(
    fleet: Fleet, database: Database
) -> None:
    started = asyncio.Event()

    async def run(_: JobContext, __: dict[str, Any]) -> None:
        started.set()
        await asyncio.Event().wait()

    job, stop = Job("trial.long", run), asyncio.Event()
    await fleet.enqueue(job, {})
    worker = Worker(database, [job], runtime=None, grace=timedelta(hours=1))
    working = asyncio.create_task(worker.run(stop))
    await started.wait()
    stop.set()
    await asyncio.sleep(0)
    worker.hurry()
    await asyncio.wait_for(working, 30)
    assert await fleet.scalar("SELECT status::text || attempts FROM jobs.pgqueuer") == "queued0"
