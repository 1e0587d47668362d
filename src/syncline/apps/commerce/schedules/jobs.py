from __future__ import annotations

from typing import Any
from uuid import UUID

from syncline.apps.commerce.contract import PullAlreadyRunning, Reconciliation
from syncline.apps.commerce.reconcile.service import depth_of, reconcile_store
from syncline.apps.commerce.schedules import repository, service
from syncline.apps.commerce.schedules.aligning import ALIGN_JOB
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome, DomainError, Fatal, Unavailable
from syncline.kernel.tenant import Actor
from syncline.runtime.connect.persist import persist
from syncline.runtime.jobs import Job, JobContext, RetryPolicy, Schedule

TICK_JOB = "commerce.find_due_schedules"
RUN_JOB = "commerce.run_schedule"
_AT_ONCE = 1_000


async def find_due(ctx: JobContext, _: dict[str, Any]) -> None:
    """Once a minute: a job for each schedule that is due, in one transaction. Only ids are known here; whether it is
    still due is looked at again by the job, inside its tenant. Safe to run again, and at the same time as another."""
    async with ctx.runtime.database.system() as session:
        for due in await repository.take_due(session, clock.now(), _AT_ONCE):
            payload = {"schedule_id": str(due.schedule_id), "tenant_id": str(due.tenant)}
            await ctx.runtime.queue.enqueue(session, RUN_JOB, payload, key=f"schedule:{due.schedule_id}")


async def run(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Start what one schedule says, and move it on, in one transaction: whoever comes second finds it not due."""
    settings = ctx.runtime.settings_of("commerce", CommerceSettings)
    schedule_id = UUID(payload["schedule_id"])
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        try:
            async with session.begin_nested():
                await service.run_due(session, ctx.runtime.queue, schedule_id, settings=settings)
        except PullAlreadyRunning:
            return  # it began while we looked: still due, so the next tick decides again


async def reconcile(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Compare store and mirror, mend, and tell the schedule. Safe to run again."""
    schedule_id = UUID(payload["schedule_id"])
    try:
        outcome = await _compare(ctx, schedule_id, payload["depth"])
    except ConnectorOutcome as error:
        await _tell(ctx, schedule_id, service.FAILED, None, error.sentence)
        return
    except Unavailable:
        raise  # the database is away: nothing can be written down, so the queue tries again
    except Exception as error:
        sentence = f"An error of Syncline's own stopped the comparison ({type(error).__name__}); please report it."
        await _tell(ctx, schedule_id, service.FAILED, None, sentence)
        raise Fatal("A comparison was stopped by an error of Syncline's own.", detail=repr(error)) from error
    if outcome is None:
        return
    differs = None if outcome.agreed else "Store and mirror do not agree; see the reconciliation."
    await _tell(ctx, schedule_id, service.COMPLETED if outcome.agreed else service.FAILED, outcome.id, differs)


async def align(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Stage what differs from the source by now, and tell the schedule, in one transaction. Safe to run again."""
    schedule_id = UUID(payload["schedule_id"])
    author_id = payload["author_id"]
    try:
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            user_id = UUID(author_id) if author_id is not None else None
            actor = Actor(session.tenant, payload["author"], "service", user_id)
            await service.align(session, schedule_id, actor)
    except Unavailable:
        raise  # the database is away: the queue tries again
    except DomainError as error:
        await _tell(ctx, schedule_id, service.FAILED, None, error.sentence)
    except Exception as error:
        sentence = f"An error of Syncline's own stopped the alignment ({type(error).__name__}); please report it."
        await _tell(ctx, schedule_id, service.FAILED, None, sentence)
        raise Fatal("An alignment was stopped by an error of Syncline's own.", detail=repr(error)) from error


async def _compare(ctx: JobContext, schedule_id: UUID, depth: str) -> Reconciliation | None:
    """None when schedule or store are gone."""
    async with ctx.runtime.database.reading(ctx.tenant_id) as session:
        known = await repository.find(session, schedule_id)
        row = None if known is None else await find_by_id(session, known.store_id)
    if row is None:
        return None
    outcomes: list[Reconciliation] = []

    async def compare() -> None:
        outcomes.append(await reconcile_store(ctx.runtime, ctx.tenant_id, row, depth=depth_of(depth), mend=True))

    await persist(compare, mark=lambda: None, what=f"comparison with {row.store.name}")
    return outcomes[-1]


async def _tell(ctx: JobContext, schedule_id: UUID, status: str, run_id: UUID | None, sentence: str | None) -> None:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await service.note_outcome(session, schedule_id, status=status, run_id=run_id, sentence=sentence)


JOBS = (
    Job(name=TICK_JOB, run=find_due, retry=RetryPolicy(max_attempts=3)),
    Job(name=RUN_JOB, run=run, retry=RetryPolicy(max_attempts=5)),
    Job(name=ALIGN_JOB, run=align, retry=RetryPolicy(max_attempts=5)),
    Job(name=service.RECONCILE_JOB, run=reconcile, retry=RetryPolicy(max_attempts=5)),
)
SCHEDULES = (Schedule(TICK_JOB, "* * * * *"),)
