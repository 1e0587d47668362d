from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row

from syncline.apps.outreach.connections.service import ConnectionNotFound
from syncline.apps.outreach.delivery import service as delivery
from syncline.apps.outreach.namespaces import repository as namespaces
from syncline.apps.outreach.people import service as people
from syncline.apps.outreach.reconcile import service as reconciling
from syncline.apps.outreach.settings import OutreachSettings
from syncline.apps.outreach.sync import campaigns, looking, rebuilding, repository, service
from syncline.apps.outreach.sync.planning import plan
from syncline.apps.outreach.sync.telling import operation_of
from syncline.apps.outreach.sync.work import RunOver, RunWork
from syncline.apps.outreach.sync_contract import SyncMode, SyncRequest, SyncStatus
from syncline.apps.outreach.watching import service as watching
from syncline.apps.outreach.watching.lag import SYNC_LAG
from syncline.kernel import clock
from syncline.kernel.errors import Fatal, Retriable, Unavailable
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import Job, JobContext, JobTakenOver, RetryPolicy
from syncline.runtime.live.announcing import log_line

log = structlog.get_logger(__name__)

READ_JOB = "outreach.read_chunks"
END_JOB = "outreach.end_sync"
RETRY = RetryPolicy(max_attempts=60, base=timedelta(seconds=1), cap=timedelta(minutes=2))
_OURS = "An error of Syncline's own stopped the sync ({}); please report it with the log."
_FORESEEN = (Fatal, Retriable, ConnectionNotFound)
_NOT_OURS = (Unavailable, JobTakenOver)
"""The database is away, so that nothing can be written down; another worker has the job. The queue knows what to do."""


async def plan_sync(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Ask the tools for their campaigns, cut what is to be read into chunks, and start the workers. Safe to run again:
    a run that is planned is left alone."""
    run_id = UUID(payload["run_id"])
    run = await _live(ctx, run_id)
    if run is None or run.stage != service.PLANNING:
        return
    try:
        await _plan(ctx, run_id, service.unpacked(run.config["request"]), run)
    except _NOT_OURS:
        raise
    except Exception as error:  # noqa: BLE001 - the edge of the job: whatever it is, the run says so
        await _judge(ctx, run_id, error)


async def _plan(ctx: JobContext, run_id: UUID, request: SyncRequest, run: Row[Any]) -> None:
    settings = ctx.runtime.settings_of("outreach", OutreachSettings)
    async with ctx.runtime.database.reading(ctx.tenant_id) as session:
        known = await namespaces.list_all(session)
        marks = await repository.list_marks(session)
    found = await campaigns.list_all(ctx.runtime, ctx.tenant_id, request.platforms, known)
    wanted = [one for one in found if not request.namespaces or one.namespace in request.namespaces]
    wanted = await looking.look(
        ctx.runtime,
        ctx.tenant_id,
        wanted,
        request,
        marks=marks,
        now=run.read_until,
        whole_every=settings.whole_every,
    )
    chunks = plan(wanted, request, now=run.read_until, marks=marks, overlap=settings.overlap)
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        held = await repository.find_run(session, run_id, lock=True)
        if held is None or held.status not in repository.LIVE or held.stage != service.PLANNING:
            return
        await repository.add_chunks(session, run_id, chunks)
        await repository.change_run(
            session, run_id, status=SyncStatus.RUNNING, stage=service.READING, started_at=clock.now(), sentence=None
        )
        if request.to_mixpanel and request.mode is not SyncMode.COMPARE:
            await delivery.release_held(session, request.namespaces)
        waiting = sum(not one.campaign.is_unmoved for one in chunks)
        for number in range(min(request.workers, waiting)):
            await ctx.runtime.queue.enqueue(session, READ_JOB, {"run_id": str(run_id), "worker": number})
        if not waiting:
            await ctx.runtime.queue.enqueue(session, END_JOB, {"run_id": str(run_id)})
        await ctx.hold(session)


async def read_chunks(ctx: JobContext, payload: dict[str, Any]) -> None:
    """One worker of a run, until no chunk is left. Safe to run again: it goes on from its chunk's cursor."""
    run_id = UUID(payload["run_id"])
    run = await _live(ctx, run_id)
    if run is None:
        return
    request = service.unpacked(run.config["request"])
    try:
        async with AsyncExitStack() as stack:
            await RunWork(ctx, run_id, int(payload["worker"]), request, stack).run()
    except RunOver:
        return
    except _NOT_OURS:
        raise
    except Exception as error:  # noqa: BLE001 - the edge of the job: whatever it is, the run says so
        await _judge(ctx, run_id, error)
        return
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        held = await repository.find_run(session, run_id, lock=True)
        # The last worker to find nothing left; the lock on the run makes it one.
        if held is None or held.stage != service.READING or not await repository.is_all_read(session, run_id):
            return
        await repository.change_run(session, run_id, stage=service.ENDING)
        await ctx.runtime.queue.enqueue(session, END_JOB, {"run_id": str(run_id)}, key=f"end:{run_id}")
        await ctx.hold(session)


async def end_sync(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Swap or compare, remember until when was read, and make the run final, in one transaction. Safe to run again."""
    run_id = UUID(payload["run_id"])
    run = await _live(ctx, run_id)
    if run is None:
        return
    request = service.unpacked(run.config["request"])
    try:
        exported = await reconciling.read_back(
            ctx.runtime, ctx.tenant_id, run, request, say=partial(_say, ctx, run_id, request)
        )
        await _end(ctx, run_id, request, exported)
    except RunOver:
        return
    except _NOT_OURS:
        raise
    except Exception as error:  # noqa: BLE001 - the edge of the job: whatever it is, the run says so
        await _judge(ctx, run_id, error)


async def _say(ctx: JobContext, run_id: UUID, request: SyncRequest, sentence: str) -> None:
    """What the run is at. Raises `RunOver` of one that was cancelled meanwhile."""
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        held = await repository.find_run(session, run_id, lock=True)
        if held is None or held.status not in repository.LIVE:
            raise RunOver
        await repository.change_run(session, run_id, sentence=sentence)
        if request.tracks_progress:
            await log_line(session, operation_of(run_id), sentence)
        await ctx.hold(session)


async def _end(ctx: JobContext, run_id: UUID, request: SyncRequest, exported: reconciling.Exported | None) -> None:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        held = await repository.find_run(session, run_id, lock=True)
        if held is None or held.status not in repository.LIVE:
            return
        more: dict[str, Any] = {}
        if request.mode is SyncMode.RESET:
            more["removed"] = await rebuilding.swap(session, held, request)
        if request.mode is SyncMode.COMPARE:
            more["report"] = await reconciling.compare(session, held, request, exported)
        elif repository.reads_everything(request.mode):
            await _observe_lag(session, run_id, request)
            await repository.advance_marks(session, run_id)
        more["people"] = await people.count(session, request.namespaces)
        skipped = await repository.list_skipped(session, run_id)
        sentence = f"Left out, because the tool does not know them any more: {'; '.join(skipped)}" if skipped else None
        await service.finish(session, ctx.runtime.queue, run_id, status=SyncStatus.COMPLETED, sentence=sentence, **more)
        await _note_end(session, held, None)
        await delivery.ask(session, ctx.runtime.queue)
        if request.to_attio:
            await people.ask(session, ctx.runtime.queue)
        await ctx.hold(session)


async def _observe_lag(session: WriteSession, run_id: UUID, request: SyncRequest) -> None:
    since = await repository.find_earliest_mark(session, run_id)
    if request.mode is SyncMode.DELTA and since is not None:
        SYNC_LAG.observe((clock.now() - since).total_seconds())


async def _note_end(session: WriteSession, run: Row[Any], sentence: str | None) -> None:
    """Of the hourly sync, whoever started it; other runs are not watched."""
    if run.config["asked"].get("schedule") == watching.PERIODIC:
        await watching.end(session, watching.PERIODIC, sentence=sentence)


async def _live(ctx: JobContext, run_id: UUID) -> Row[Any] | None:
    async with ctx.runtime.database.reading(ctx.tenant_id) as session:
        run = await repository.find_run(session, run_id)
    return None if run is None or run.status not in repository.LIVE else run


async def _judge(ctx: JobContext, run_id: UUID, error: Exception) -> None:
    """What passes is left to the queue, which tries again; what does not ends the run with its sentence."""
    if isinstance(error, Retriable) and ctx.attempt < RETRY.max_attempts:
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            run = await repository.find_run(session, run_id)
            if run is not None and run.status in repository.LIVE:
                await repository.change_run(session, run_id, sentence=f"Waits: {error.sentence}")
        raise error
    is_foreseen = isinstance(error, _FORESEEN)
    sentence = error.sentence if isinstance(error, _FORESEEN) else _OURS.format(type(error).__name__)
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        run = await repository.find_run(session, run_id, lock=True)
        is_over = await service.finish(session, ctx.runtime.queue, run_id, status=SyncStatus.FAILED, sentence=sentence)
        if is_over and run is not None:
            await _note_end(session, run, sentence)
    log.error("sync failed", run_id=str(run_id), reason=sentence, exc_info=None if is_foreseen else error)


JOBS = (
    Job(service.PLAN_JOB, plan_sync, retry=RETRY),
    Job(READ_JOB, read_chunks, retry=RETRY),
    Job(END_JOB, end_sync, retry=RETRY),
)
