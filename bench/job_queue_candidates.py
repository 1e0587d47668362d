"""The candidates of job_queue_trial.py behind one interface: two libraries as they ship, and what we made of the one
that was chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import NAMESPACE_DNS, uuid4, uuid5

import psycopg
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.core.executors import EntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.core.qm import QueueManager
from pgqueuer.core.sm import SchedulerManager
from pgqueuer.domain import models as pgq_models
from pgqueuer.domain import types as pgq_types
from pgqueuer.queries import Queries
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.jobs import Status

from syncline.kernel.tenant import TenantId
from syncline.runtime import jobs as ours
from syncline.runtime.db.engine import Database
from syncline.runtime.db.migrate import upgrade
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs import store
from syncline.runtime.migrations import SOURCE

LEASE = timedelta(seconds=6)
"""How long a worker may be silent before its jobs are taken over; the same for all."""

EVERY_THREE_SECONDS = "* * * * * */3"  # croniter reads a sixth field as seconds

Handler = Callable[[int, Callable[[], bool]], Awaitable[None]]
"""Gets the job's id and a question: has somebody asked this job to stop?"""


class Candidate(Protocol):
    """What the trial needs of a library. `connection` is the caller's own, in the caller's transaction."""

    name: str

    async def install(self, url: str) -> None: ...

    async def enqueue(self, connection: psycopg.AsyncConnection[Any], jobs: Sequence[tuple[str, int]]) -> list[int]: ...

    async def cancel(self, url: str, job_id: int) -> None: ...

    async def finish_as_stranger(self, url: str) -> bool:
        """A worker whose job was given to another reports it done. True when that is refused."""
        ...

    async def work(
        self,
        url: str,
        handlers: Mapping[str, Handler],
        stop: asyncio.Event,
        *,
        concurrency: int = 4,
        every: str | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None: ...


class PgQueuerCandidate:
    name = "PgQueuer 1.6.0"

    async def _queries(self, url: str) -> Queries:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        return Queries(PsycopgDriver(connection))

    async def install(self, url: str) -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await Queries(PsycopgDriver(connection)).install()

    async def enqueue(self, connection: psycopg.AsyncConnection[Any], jobs: Sequence[tuple[str, int]]) -> list[int]:
        # Its psycopg driver refuses a connection that is inside a transaction; the statements themselves do not mind.
        queries = Queries(_CallersConnection(connection))
        return list(await queries.enqueue([n for n, _ in jobs], [None] * len(jobs), [p for _, p in jobs]))

    async def cancel(self, url: str, job_id: int) -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await Queries(PsycopgDriver(connection)).mark_job_as_cancelled([pgq_types.JobId(job_id)])

    async def finish_as_stranger(self, url: str) -> bool:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("UPDATE pgqueuer SET queue_manager_id = gen_random_uuid(), status = 'picked'")
            queries = Queries(PsycopgDriver(connection))
            row = (await queries.driver.fetch("SELECT * FROM pgqueuer LIMIT 1"))[0]
            await queries.log_jobs([(pgq_models.Job.model_validate(row), "successful", None)])
            left = await queries.driver.fetch("SELECT 1 AS one FROM pgqueuer WHERE id = $1", row["id"])
            return len(left) == 1

    async def work(
        self,
        url: str,
        handlers: Mapping[str, Handler],
        stop: asyncio.Event,
        *,
        concurrency: int = 4,
        every: str | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            manager = QueueManager(Queries(PsycopgDriver(connection)))
            for name, handler in handlers.items():
                self._register(manager, name, handler, (limits or {}).get(name, 0))
            scheduler = SchedulerManager(await self._queries(url)) if every else None
            if scheduler and every:
                _schedule(scheduler, every)
            tasks = [asyncio.create_task(_stop_pgqueuer(stop, manager, scheduler))]
            if scheduler:
                tasks.append(asyncio.create_task(scheduler.run()))
            try:
                await manager.run(
                    dequeue_timeout=timedelta(seconds=1),
                    batch_size=max(1, min(100, concurrency // 2)),
                    max_concurrent_tasks=concurrency,
                    heartbeat_timeout=LEASE,
                )
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _register(self, manager: QueueManager, name: str, handler: Handler, limit: int) -> None:
        async def run(job: pgq_models.Job, context: pgq_models.Context) -> None:
            await handler(job.id, lambda: context.cancellation.cancel_called)

        parameters = EntrypointExecutorParameters(concurrency_limit=limit, func=run, accepts_context=True)
        manager.register_executor(name, EntrypointExecutor(parameters))


class _CallersConnection(PsycopgDriver):
    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection


def _schedule(scheduler: SchedulerManager, name: str) -> None:
    @scheduler.schedule(name, EVERY_THREE_SECONDS)
    async def fire(_: pgq_models.Schedule) -> None:
        await scheduler.queries.enqueue(name, None)


async def _stop_pgqueuer(stop: asyncio.Event, manager: QueueManager, scheduler: SchedulerManager | None) -> None:
    await stop.wait()
    manager.shutdown.set()
    if scheduler:
        scheduler.shutdown.set()


class ProcrastinateCandidate:
    name = "Procrastinate 3.10.0"

    def _app(self, url: str) -> App:
        return App(connector=PsycopgConnector(conninfo=url, min_size=2, max_size=8))

    async def install(self, url: str) -> None:
        async with self._app(url).open_async() as app:
            await app.schema_manager.apply_schema_async()

    async def enqueue(self, connection: psycopg.AsyncConnection[Any], jobs: Sequence[tuple[str, int]]) -> list[int]:
        app = self._app("")
        ids: list[int] = []
        for name, priority in sorted(set(jobs), key=jobs.index):
            count = jobs.count((name, priority))
            deferrer = app.configure_task(name, queue=name, priority=priority, connection=connection)
            ids += await deferrer.batch_defer_async(*[{} for _ in range(count)])
        return ids

    async def cancel(self, url: str, job_id: int) -> None:
        async with self._app(url).open_async() as app:
            await app.job_manager.cancel_job_by_id_async(job_id, abort=True)

    async def finish_as_stranger(self, url: str) -> bool:
        async with self._app(url).open_async() as app:
            strangers = [await app.job_manager.register_worker() for _ in range(2)]
            job = await app.job_manager.fetch_job(queues=None, worker_id=strangers[0])
            assert job is not None
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute(
                    "UPDATE procrastinate_jobs SET worker_id = %s WHERE id = %s", (strangers[1], job.id)
                )
                with suppress(Exception):  # a refusal by exception is as good as one by silence
                    await app.job_manager.finish_job(job, Status.SUCCEEDED, delete_job=False)
                cursor = await connection.execute("SELECT status FROM procrastinate_jobs WHERE id = %s", (job.id,))
                row = await cursor.fetchone()
                return row == ("doing",)

    async def work(
        self,
        url: str,
        handlers: Mapping[str, Handler],
        stop: asyncio.Event,
        *,
        concurrency: int = 4,
        every: str | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        del limits  # Procrastinate has locks, which let one job run, but no limits
        app = self._app(url)
        for name, handler in handlers.items():
            task = app.task(name=name, queue=name, pass_context=True)(_procrastinate_task(handler))
            if name == every:
                app.periodic(cron=EVERY_THREE_SECONDS)(task)
        async with app.open_async():
            rescue = asyncio.create_task(_requeue_stalled(app))
            running = asyncio.create_task(
                app.run_worker_async(
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=1,
                    abort_job_polling_interval=1,
                    update_heartbeat_interval=LEASE.total_seconds() / 3,
                    stalled_worker_timeout=LEASE.total_seconds(),
                    shutdown_graceful_timeout=5,
                )
            )
            await asyncio.wait({running, asyncio.ensure_future(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
            ended_by_itself = running.done()
            for each in (rescue, running):
                each.cancel()
            results = await asyncio.gather(running, rescue, return_exceptions=True)
            if ended_by_itself and isinstance(results[0], BaseException):
                raise results[0]


def _procrastinate_task(handler: Handler) -> Callable[..., Awaitable[None]]:
    async def run(context: JobContext, timestamp: int | None = None) -> None:
        del timestamp
        assert context.job.id is not None
        await handler(context.job.id, context.should_abort)

    return run


async def _requeue_stalled(app: App) -> None:
    """Procrastinate leaves the jobs of a dead worker to its user; this is the periodic task its manual describes."""
    while True:
        await asyncio.sleep(1)
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LEASE.total_seconds()):
            await app.job_manager.retry_job(job)


class SynclineCandidate:
    """`runtime/jobs`. Each job name is a tenant of its own, since its fairness is between tenants."""

    name = "runtime/jobs on PgQueuer"

    def _tenant(self, name: str) -> TenantId:
        return TenantId(uuid5(NAMESPACE_DNS, name))

    async def install(self, url: str) -> None:
        await asyncio.to_thread(upgrade, url, [SOURCE])

    async def enqueue(self, connection: psycopg.AsyncConnection[Any], jobs: Sequence[tuple[str, int]]) -> list[int]:
        made = []
        for name, priority in jobs:
            entry = store.entry(ours.Job(name, _unused), self._tenant(name), {}, priority=priority)
            made.append(await store.enqueue(connection, entry))
        return made

    async def cancel(self, url: str, job_id: int) -> None:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await store.cancel(connection, [job_id], None)

    async def finish_as_stranger(self, url: str) -> bool:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            (head,) = await store.heads(connection, ["trial"])
            (claim,) = await store.claim(connection, uuid4(), head.lane, 1)
            await connection.execute("UPDATE jobs.pgqueuer SET queue_manager_id = gen_random_uuid()")
            return await store.finish(connection, [(claim.token, "successful")]) == set()

    async def work(
        self,
        url: str,
        handlers: Mapping[str, Handler],
        stop: asyncio.Event,
        *,
        concurrency: int = 4,
        every: str | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        del limits  # turns between tenants need none
        database = await Database.open(DatabaseSettings(url=url, data_dir=Path(), pool_min=0))
        declared = [ours.Job(name, _our_job(handler)) for name, handler in handlers.items()]
        schedules = [ours.Schedule(every, EVERY_THREE_SECONDS)] if every else []
        worker = ours.Worker(database, declared, runtime=None, concurrency=concurrency, schedules=schedules)
        try:
            await worker.run(stop)
        finally:
            await database.close()


async def _unused(_: ours.JobContext, __: dict[str, Any]) -> None:
    raise NotImplementedError


def _our_job(handler: Handler) -> Callable[[ours.JobContext, dict[str, Any]], Awaitable[None]]:
    async def run(context: ours.JobContext, _: dict[str, Any]) -> None:
        await handler(context.job_id, lambda: context.signals.cancel)

    return run


CANDIDATES: tuple[Candidate, ...] = (PgQueuerCandidate(), ProcrastinateCandidate(), SynclineCandidate())
