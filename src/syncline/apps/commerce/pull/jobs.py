from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from syncline.apps.commerce.contract import PullFinished, Reconciliation, RunStatus, StreamProgress
from syncline.apps.commerce.inbound.noticing import notice_for
from syncline.apps.commerce.metrics import PULL_SECONDS, PULLS
from syncline.apps.commerce.mirror.tombstones import bury_all_orphans, empty_links
from syncline.apps.commerce.pull import repository, service
from syncline.apps.commerce.pull.repository import LeaseLost, StreamRow
from syncline.apps.commerce.pull.telling import StreamTelling
from syncline.apps.commerce.pull.work import StreamWork
from syncline.apps.commerce.reconcile.service import Written, look_again_at_loose_ends, reconcile_after_pull
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.connection import client_of
from syncline.apps.commerce.stores.repository import StoreRow, find_by_id
from syncline.connectors.shopify.errors import MissingScope
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome, Fatal, Retriable, Unavailable
from syncline.runtime.bus import publish
from syncline.runtime.connect.persist import persist
from syncline.runtime.jobs import Job, JobContext, RetryPolicy

log = structlog.get_logger(__name__)

_CLOCKS_APART = timedelta(minutes=5)
"""Workers on several machines write down the time; their clocks may differ by as much."""
_DONE = (RunStatus.COMPLETED, RunStatus.SKIPPED)


async def _take(ctx: JobContext, run_id: UUID, stream: str) -> tuple[StreamRow, StoreRow] | None:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        run = await repository.lock_run(session, run_id)
        held = await repository.take_stream(session, run_id, stream)
        if held is None:
            return None
        if run.started_at is None:
            await repository.update_run(session, run_id, status=RunStatus.RUNNING, started_at=clock.now())
        row = await find_by_id(session, held.store_id)
    return None if row is None else (held, row)


async def pull_stream(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Read one stream of one run to its end. Safe to run again: it goes on from the stream's row."""
    run_id, stream = UUID(payload["run_id"]), payload["stream"]
    taken = await _take(ctx, run_id, stream)
    if taken is not None:
        held, row = taken
        try:
            await _persist(ctx, held, row)
        except LeaseLost:
            # Either another worker has it, or our own last commit stands and only its answer was lost: then the run
            # goes on below.
            log.info("pull.lease_lost", run_id=str(run_id), stream=stream)
        except MissingScope as error:
            await _skip(ctx, run_id, stream, error.sentence)
        except Fatal as error:
            await _fail(ctx, run_id, stream, error.sentence)
            return
        except Retriable as error:
            await _fail(ctx, run_id, stream, f"{error.sentence} Given up after several tries without progress.")
            return
        except Unavailable:
            raise  # the database is away: nothing can be written down, so the queue tries again
        except Exception as error:
            await _fail(ctx, run_id, stream, _own_error(f"the stream {stream}", error))
            raise Fatal("A pull was stopped by an error of Syncline's own.", detail=repr(error)) from error
    await _hand_on(ctx, run_id)


async def _persist(ctx: JobContext, held: StreamRow, row: StoreRow) -> None:
    settings = ctx.runtime.settings_of("commerce", CommerceSettings)
    async with client_of(ctx.runtime, row) as client:
        telling = StreamTelling(row.store.name)
        notice = notice_for(row.store, run_id=held.run_id, what="pull")
        work = StreamWork(ctx.runtime.database, ctx.tenant_id, client, settings, held, telling, notice)
        await persist(
            work.run,
            mark=lambda: work.held.cursor,
            what=f"pull of {held.stream} from {row.store.name}",
            tell=work.tell,
            max_failures=settings.max_failures,
        )


async def _fail(ctx: JobContext, run_id: UUID, stream: str, sentence: str) -> None:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await repository.lock_run(session, run_id)  # first, as everywhere: two streams that end at once must not cross
        await repository.fail_stream(session, run_id, stream, sentence)
        await service.finish(session, run_id, status=RunStatus.FAILED, error=sentence)
    PULLS.labels(status="failed").inc()


async def _skip(ctx: JobContext, run_id: UUID, stream: str, sentence: str) -> None:
    """The token lost a permission since the run began: the others go on."""
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await repository.lock_run(session, run_id)
        await repository.skip_stream(session, run_id, stream, sentence)


async def _hand_on(ctx: JobContext, run_id: UUID) -> None:
    """The last stream to end starts the reconciliation; the lock on the run makes it one."""
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        run = await repository.lock_run(session, run_id)
        streams = await repository.list_streams(session, run_id)
        if run.status not in repository.LIVE or not all(stream.status in _DONE for stream in streams):
            return
        if all(stream.status == RunStatus.SKIPPED for stream in streams):
            sentence = " ".join(stream.error or "" for stream in streams)
            await service.finish(session, run_id, status=RunStatus.FAILED, error=sentence)
        else:
            await ctx.runtime.queue.enqueue(
                session, service.FINISH_JOB, {"run_id": str(run_id)}, key=f"commerce.finish_pull:{run_id}"
            )


async def finish_pull(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Compare store and mirror, mend, and make the run final. Safe to run again: a final run is left alone."""
    run_id = UUID(payload["run_id"])
    async with ctx.runtime.database.reading(ctx.tenant_id) as session:
        run = await repository.find_run(session, run_id)
        row = await find_by_id(session, run.store_id) if run is not None else None
        streams = await repository.list_streams(session, run_id)
        since = await repository.find_since(session, run_id)
    if run is None or row is None or run.status not in repository.LIVE:
        return
    try:
        began = run.started_at or run.created_at
        written = Written(began - _CLOCKS_APART, None if since is None else since - _CLOCKS_APART)
        outcome = await _compare(ctx, row, run_id, streams, written)
    except ConnectorOutcome as error:
        await _give_up(ctx, run_id, error.sentence)
        return
    except Unavailable:
        raise  # the database is away: nothing can be written down, so the queue tries again
    except Exception as error:
        await _give_up(ctx, run_id, _own_error("the comparison of store and mirror", error))
        raise Fatal("A pull was stopped by an error of Syncline's own.", detail=repr(error)) from error
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        if outcome.agreed:
            await repository.advance_states(session, run_id)
        done = await service.finish(
            session,
            run_id,
            status=RunStatus.COMPLETED if outcome.agreed else RunStatus.FAILED,
            error=None if outcome.agreed else "Store and mirror do not agree; see the reconciliation.",
            reconciliation_id=outcome.id,
        )
        if done:
            await publish(session, PullFinished(store_id=row.store.id, run_id=run_id, agreed=outcome.agreed))
    if done:
        PULLS.labels(status="completed" if outcome.agreed else "differs").inc()
        if run.started_at is not None:
            PULL_SECONDS.labels(mode=run.mode).observe((clock.now() - run.started_at).total_seconds())


async def _compare(
    ctx: JobContext, row: StoreRow, run_id: UUID, streams: Sequence[StreamProgress], written: Written
) -> Reconciliation:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        # The streams are read side by side, and a child may have been stored after its parent was found to be gone.
        buried = await bury_all_orphans(session, row.store.id, moment=clock.now())
        await repository.add_deleted(session, run_id, buried)
        await empty_links(session, row.store.id)
    outcomes: list[Reconciliation] = []
    names = [stream.stream for stream in streams if stream.status == RunStatus.COMPLETED]

    async def compare() -> None:
        repaired = await look_again_at_loose_ends(ctx.runtime, ctx.tenant_id, row, names, written)
        outcomes.append(
            await reconcile_after_pull(
                ctx.runtime,
                ctx.tenant_id,
                row,
                run_id,
                names=names,
                repaired=repaired,
                incomplete=any(stream.is_incomplete for stream in streams),
            )
        )

    await persist(compare, mark=lambda: None, what=f"comparison with {row.store.name}")
    return outcomes[-1]


async def _give_up(ctx: JobContext, run_id: UUID, sentence: str) -> None:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await service.finish(session, run_id, status=RunStatus.FAILED, error=sentence)
    PULLS.labels(status="failed").inc()


def _own_error(what: str, error: Exception) -> str:
    return f"An error of Syncline's own stopped {what} ({type(error).__name__}); please report it with the log."


JOBS = (
    Job(name=service.STREAM_JOB, run=pull_stream, retry=RetryPolicy(max_attempts=50)),
    Job(name=service.FINISH_JOB, run=finish_pull, retry=RetryPolicy(max_attempts=20)),
)
