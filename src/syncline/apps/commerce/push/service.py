from __future__ import annotations

from uuid import UUID

from sqlalchemy.exc import IntegrityError

from syncline.apps.commerce.contract import BatchNotFound, NothingToDo, PushAlreadyRunning, PushRun, RunNotFound, Store
from syncline.apps.commerce.push import repository
from syncline.apps.commerce.push.repository import PushRow
from syncline.apps.commerce.push.telling import push_began
from syncline.apps.commerce.staging.service import get_batch
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.apps.commerce.stores.service import hold
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobQueue

PUSH_JOB = "commerce.push_changes"


def _already(run: PushRow, store: str) -> PushAlreadyRunning:
    return PushAlreadyRunning(
        f"Push {run.id} to {store} is already running; wait for it (`syncline push {store} --wait`).",
        extra={"run_id": str(run.id)},
    )


async def _check_batch(session: Session, store: Store, batch_id: UUID) -> None:
    batch = await get_batch(session, batch_id)
    if batch.store != store.name:
        raise BatchNotFound(
            f"Batch {batch_id} was staged for {batch.store}; push it with `syncline push {batch.store}`."
        )


async def start(
    session: WriteSession, queue: JobQueue, *, store: Store, batch_id: UUID | None, actor: Actor
) -> PushRow:
    """Claim every approved change of the store (or of one batch) for a run, in the caller's transaction."""
    if batch_id is not None:
        await _check_batch(session, store, batch_id)
    await hold(session, store)
    live = await repository.find_live(session, store.id)
    if live is not None:
        raise _already(live, store.name)
    try:
        async with session.begin_nested():
            run = await repository.add_run(session, store_id=store.id, batch_id=batch_id, requested_by=actor.name)
    except IntegrityError as error:
        winner = await repository.find_live(session, store.id)
        if winner is None:
            raise
        raise _already(winner, store.name) from error
    if run.total == 0:
        raise NothingToDo(
            f"No approved change waits for {store.name}; look at `syncline review list --store {store.name}` "
            "and approve first."
        )
    await push_began(session, store, run)
    await queue.enqueue(session, PUSH_JOB, {"run_id": str(run.id)})
    return run


async def view(session: Session, run: PushRow) -> PushRun:
    row = await find_by_id(session, run.store_id)
    return PushRun(
        id=run.id,
        store=row.store.name if row else str(run.store_id),
        status=run.status,
        requested_by=run.requested_by,
        total=run.total,
        counts=await repository.count_changes(session, run.id),
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        error=run.error,
    )


async def get(session: Session, run_id: UUID) -> PushRun:
    run = await repository.find_run(session, run_id)
    if run is None:
        raise RunNotFound(f"There is no push {run_id}.")
    return await view(session, run)
