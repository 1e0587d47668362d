from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from syncline.apps.commerce.contract import (
    BatchNotFound,
    ChangeStatus,
    NothingToDo,
    PushAlreadyRunning,
    PushRun,
    RunNotFound,
    RunStatus,
    Store,
)
from syncline.apps.commerce.push import repository
from syncline.apps.commerce.push.engine import repository as claims
from syncline.apps.commerce.push.engine.priorities import STEPS
from syncline.apps.commerce.push.plan.repository import count_kinds
from syncline.apps.commerce.push.plan.service import missing_scopes
from syncline.apps.commerce.push.repository import PushRow
from syncline.apps.commerce.push.telling import push_began
from syncline.apps.commerce.push_contract import (
    MOST_PRODUCTS_AT_ONCE,
    MOST_WORKERS,
    EngineConfig,
    PushEngine,
    PushNotLive,
    PushRefused,
    Wanted,
)
from syncline.apps.commerce.staging.service import get_batch
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.apps.commerce.stores.service import hold
from syncline.kernel import clock
from syncline.kernel.errors import FieldError
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobQueue

PUSH_JOB = "commerce.push_changes"
HELP_JOB = "commerce.help_push"


def payload_of(run: PushRow) -> dict[str, str]:
    return {"run_id": str(run.id), "store_id": str(run.store_id)}


def lock_of(payload: Mapping[str, Any]) -> str:
    """A line of its own for each store, so that one store's push never stands behind another's."""
    return f"push:{payload['store_id']}"


def _already(run: PushRow, store: str) -> PushAlreadyRunning:
    return PushAlreadyRunning(
        f"Push {run.id} to {store} is already running; wait for it (`syncline push {store} --wait`).",
        extra={"run_id": str(run.id)},
    )


async def check_batch(session: Session, store: Store, batch_id: UUID) -> None:
    batch = await get_batch(session, batch_id)
    if batch.store != store.name:
        raise BatchNotFound(
            f"Batch {batch_id} was staged for {batch.store}; push it with `syncline push {batch.store}`."
        )


async def start(
    session: WriteSession,
    queue: JobQueue,
    *,
    store: Store,
    batch_id: UUID | None,
    actor: Actor,
    config: EngineConfig | None = None,
) -> PushRow:
    """Claim every approved change of the store (or of one batch) for a run, in the caller's transaction."""
    config = checked(config or EngineConfig())
    if batch_id is not None:
        await check_batch(session, store, batch_id)
    await hold(session, store)
    live = await repository.find_live(session, store.id)
    if live is not None:
        raise _already(live, store.name)
    try:
        async with session.begin_nested():
            run = await repository.add_run(
                session, store_id=store.id, batch_id=batch_id, requested_by=actor.name, config=config
            )
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
    missing = missing_scopes(await count_kinds(session, store.id, batch_id), store.scopes, store.name)
    if missing:
        raise PushRefused(missing[0].sentence)
    await claims.ensure_units(session, run)
    await push_began(session, store, run)
    await queue.enqueue(session, PUSH_JOB, payload_of(run), priority=STEPS[run.priority])
    return run


def checked(config: EngineConfig) -> EngineConfig:
    """Raises `PushRefused` naming what is out of bounds."""
    wrong: list[FieldError] = []
    if not 1 <= config.max_workers <= MOST_WORKERS:
        wrong.append(FieldError("maxWorkers", f"Use 1 to {MOST_WORKERS} workers."))
    if not 1 <= config.min_workers <= config.max_workers:
        wrong.append(FieldError("minWorkers", f"Use 1 to {config.max_workers} workers, which is maxWorkers here."))
    if config.batch_size is not None and not 1 <= config.batch_size <= MOST_PRODUCTS_AT_ONCE:
        wrong.append(FieldError("batchSize", f"Use 1 to {MOST_PRODUCTS_AT_ONCE} products, or leave it to the engine."))
    if wrong:
        raise PushRefused(wrong[0].message, fields=wrong)
    return config


async def pause(session: WriteSession, run_id: UUID) -> PushRow:
    """What is in flight is finished and written down; then the push waits. Raises `PushNotLive` when it is over."""
    return await _wish(session, run_id, Wanted.PAUSE)


async def stop(session: WriteSession, queue: JobQueue, run_id: UUID) -> PushRow:
    """What is in flight is finished and written down; then the push is over, and what it had not begun stays
    approved."""
    run = await _wish(session, run_id, Wanted.STOP)
    if run.status is RunStatus.PAUSED:
        await queue.enqueue(session, PUSH_JOB, payload_of(run), priority=STEPS[run.priority])
    return run


async def resume(session: WriteSession, queue: JobQueue, run_id: UUID) -> PushRow:
    """A paused push goes on where it was; one that was asked to pause and has not yet goes on at once."""
    run = await _wish(session, run_id, Wanted.RUN)
    if run.status is not RunStatus.PAUSED:
        return run
    resumed = await repository.change_run(session, run_id, status=RunStatus.QUEUED)
    await queue.enqueue(session, PUSH_JOB, payload_of(run), priority=STEPS[run.priority])
    return resumed or run


async def _wish(session: WriteSession, run_id: UUID, wanted: Wanted) -> PushRow:
    run = await repository.change_run(session, run_id, wanted=wanted)
    if run is not None:
        return run
    over = await repository.find_run(session, run_id)
    if over is None:
        raise RunNotFound(f"There is no push {run_id}.")
    raise PushNotLive(f"Push {run_id} is over ({over.status}); start another one.")


async def list_all(session: Session, *, store: Store | None, live_only: bool, limit: int) -> Sequence[PushRun]:
    """Newest first."""
    runs = await repository.list_runs(
        session, store_id=store.id if store is not None else None, live_only=live_only, limit=limit
    )
    return [await view(session, run) for run in runs]


async def _engine(session: Session, run: PushRow, counts: Mapping[str, int]) -> PushEngine:
    workers = await claims.list_workers(session, run.id)
    left = counts.get(ChangeStatus.APPROVED, 0) + counts.get(ChangeStatus.SENDING, 0)
    rate = None
    if run.started_at is not None:
        seconds = ((run.finished_at or clock.now()) - run.started_at).total_seconds()
        rate = (run.total - left) / seconds if seconds > 0 else None
    is_going = run.status is RunStatus.RUNNING
    return PushEngine(
        config=run.config,
        wanted=run.wanted,
        cost=run.cost,
        workers=workers,
        products_left=await claims.count_open(session, run.id),
        changes_per_second=rate,
        seconds_left=left / rate if is_going and rate else None,
        note=run.note if is_going else None,
    )


async def view(session: Session, run: PushRow) -> PushRun:
    row = await find_by_id(session, run.store_id)
    counts = await repository.count_changes(session, run.id)
    return PushRun(
        id=run.id,
        store=row.store.name if row else str(run.store_id),
        status=run.status,
        requested_by=run.requested_by,
        total=run.total,
        counts=counts,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        error=run.error,
        engine=await _engine(session, run, counts),
    )


async def get(session: Session, run_id: UUID) -> PushRun:
    run = await repository.find_run(session, run_id)
    if run is None:
        raise RunNotFound(f"There is no push {run_id}.")
    return await view(session, run)
