from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog

from syncline.apps.commerce.contract import ChangeStatus, PushFinished, RunStatus
from syncline.apps.commerce.persist import persist
from syncline.apps.commerce.push import repository
from syncline.apps.commerce.push.repository import PushLeaseLost, PushRow
from syncline.apps.commerce.push.service import PUSH_JOB
from syncline.apps.commerce.push.telling import PushTelling, push_ended
from syncline.apps.commerce.push.work import PushWork
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.connection import client_of
from syncline.apps.commerce.stores.repository import StoreRow, find_by_id
from syncline.kernel.errors import ConnectorOutcome, Fatal, Unavailable
from syncline.runtime.bus import publish
from syncline.runtime.jobs import Job, JobContext, RetryPolicy

log = structlog.get_logger(__name__)


async def push_changes(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Send a run's approved changes. Safe to run again: what is in the air is read back first."""
    run_id = UUID(payload["run_id"])
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        held = await repository.take_run(session, run_id)
        row = await find_by_id(session, held.store_id) if held is not None else None
    if held is None or row is None:
        return
    try:
        await _persist(ctx, held, row)
    except PushLeaseLost:
        log.info("push.lease_lost", run_id=str(run_id))
    except ConnectorOutcome as error:
        await _finish(ctx, held, row, error.sentence)
    except Unavailable:
        raise  # the database is away: nothing can be written down, so the queue tries again
    except Exception as error:
        await _finish(ctx, held, row, f"An error of Syncline's own stopped the push ({type(error).__name__}).")
        raise Fatal("A push was stopped by an error of Syncline's own.", detail=repr(error)) from error
    else:
        await _finish(ctx, held, row, None)


async def _persist(ctx: JobContext, held: PushRow, row: StoreRow) -> None:
    settings = ctx.runtime.settings_of("commerce", CommerceSettings)
    async with client_of(ctx.runtime, row) as client:
        work = PushWork(
            ctx.runtime.database,
            ctx.tenant_id,
            client,
            row.store.currency,
            settings.push_concurrency,
            held,
            PushTelling(row.store.name),
        )
        await persist(
            work.run,
            mark=lambda: work.settled,
            what=f"push to {row.store.name}",
            tell=work.tell,
            max_failures=settings.max_failures,
        )


async def _finish(ctx: JobContext, held: PushRow, row: StoreRow, error: str | None) -> None:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        counts = await repository.count_changes(session, held.id)
        left = counts.get(ChangeStatus.APPROVED, 0) + counts.get(ChangeStatus.SENDING, 0)
        sentence = None
        if error is not None:
            sentence = f"{error} {left:,} changes are not written or not confirmed; push again when it is mended."
        status = RunStatus.COMPLETED if error is None else RunStatus.FAILED
        done = await repository.finish_run(session, held.id, status=status, error=sentence)
        if done:
            await push_ended(session, held, row.store.name, status=status, sentence=sentence, counts=counts)
            await publish(session, PushFinished(store_id=held.store_id, run_id=held.id, counts=counts))


JOBS = (Job(name=PUSH_JOB, run=push_changes, retry=RetryPolicy(max_attempts=50)),)
