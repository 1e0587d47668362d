from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from syncline.apps.commerce.contract import (
    PullAlreadyRunning,
    PullMode,
    PullPath,
    PullRun,
    Reconciliation,
    RunNotFound,
    RunStatus,
    Store,
)
from syncline.apps.commerce.mirror.catalog_kinds import MEDIA
from syncline.apps.commerce.mirror.positions import has_unplaced
from syncline.apps.commerce.pull import repository
from syncline.apps.commerce.pull.repository import RunRow
from syncline.apps.commerce.pull.telling import pull_began, pull_ended
from syncline.apps.commerce.reconcile.repository import find_reconciliation
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.apps.commerce.stores.scopes import missing_scopes, scope_sentence
from syncline.apps.commerce.stores.service import hold
from syncline.connectors.shopify.sources import SOURCES
from syncline.connectors.shopify.streams import STREAMS
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs.queue import JobQueue

PULL_STREAMS = tuple(STREAMS)
STREAM_JOB = "commerce.pull_stream"
FINISH_JOB = "commerce.finish_pull"


def _already(run_id: UUID, store: str) -> PullAlreadyRunning:
    return PullAlreadyRunning(
        f"Pull {run_id} of {store} is already running; wait for it (`syncline pull {store} --wait`) or cancel it "
        f"(`syncline pull {store} --cancel`).",
        extra={"run_id": str(run_id)},
    )


def choose_streams(names: Sequence[str]) -> Sequence[str]:
    unknown = sorted(set(names) - set(PULL_STREAMS))
    if unknown:
        raise InvalidInput(f"There is no stream {unknown[0]}; the streams are {', '.join(PULL_STREAMS)}.")
    return [name for name in PULL_STREAMS if not names or name in names]


async def _since(
    session: Session, store_id: UUID, mode: PullMode, streams: Sequence[str], settings: CommerceSettings
) -> Mapping[str, datetime | None]:
    """Where each stream begins. A stream that was never read whole is read whole now, whatever was asked."""
    begin: dict[str, datetime | None] = {}
    for stream in streams:
        if SOURCES[stream].is_whole:
            begin[stream] = None
            continue
        state = await repository.find_state(session, store_id, stream)
        known = mode is PullMode.INCREMENTAL and state.last_full_at is not None and state.high_water is not None
        if known and stream == MEDIA.stream:
            known = not await has_unplaced(session, store_id)
        begin[stream] = state.high_water - settings.overlap if known and state.high_water is not None else None
    return begin


async def start(
    session: WriteSession,
    queue: JobQueue,
    *,
    store: Store,
    mode: PullMode,
    streams: Sequence[str],
    actor: Actor,
    settings: CommerceSettings,
    path: PullPath | None = None,
) -> UUID:
    """The run and its jobs, in the caller's transaction. Streams that the store's token may not read are left out, each
    with a sentence. Raises `PullAlreadyRunning` naming the live run."""
    await hold(session, store)
    live = await repository.find_live(session, store.id)
    if live is not None:
        raise _already(live.id, store.name)
    chosen = choose_streams(streams)
    left_out = _left_out(store, chosen)
    begin = await _since(session, store.id, mode, chosen, settings)
    try:
        async with session.begin_nested():
            run_id = await repository.add_run(
                session, store_id=store.id, mode=mode, streams=begin, requested_by=actor.name, path=path
            )
            for stream, sentence in left_out.items():
                await repository.skip_stream(session, run_id, stream, sentence)
    except IntegrityError as error:
        winner = await repository.find_live(session, store.id)
        if winner is None:
            raise
        raise _already(winner.id, store.name) from error
    await pull_began(
        session, store, run_id, mode=mode, streams=list(chosen), left_out=left_out, requested_by=actor.name
    )
    for stream in (name for name in chosen if name not in left_out):
        await queue.enqueue(session, STREAM_JOB, {"run_id": str(run_id), "stream": stream})
    return run_id


def _left_out(store: Store, chosen: Sequence[str]) -> dict[str, str]:
    """Why each stream that the token may not read is left out. Raises `InvalidInput` when none is left."""
    lacking = {stream: missing_scopes(stream, store.scopes) for stream in chosen}
    sentences = {stream: scope_sentence(stream, missing, store.name) for stream, missing in lacking.items() if missing}
    if len(sentences) == len(chosen):
        raise InvalidInput(" ".join(sentences.values()))
    return sentences


async def view(session: Session, run: RunRow) -> PullRun:
    row = await find_by_id(session, run.store_id)
    outcome: Reconciliation | None = None
    if run.reconciliation_id is not None:
        outcome = await find_reconciliation(session, run.reconciliation_id)
    return PullRun(
        id=run.id,
        store=row.store.name if row else str(run.store_id),
        mode=run.mode,
        status=run.status,
        requested_by=run.requested_by,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        error=run.error,
        streams=tuple(await repository.list_streams(session, run.id)),
        reconciliation=outcome,
    )


async def get(session: Session, run_id: UUID) -> PullRun:
    run = await repository.find_run(session, run_id)
    if run is None:
        raise RunNotFound(f"There is no pull {run_id}.")
    return await view(session, run)


async def cancel(session: WriteSession, run_id: UUID) -> None:
    """What is stored stays; workers stop at their next chunk."""
    run = await repository.find_run(session, run_id)
    if run is None:
        raise RunNotFound(f"There is no pull {run_id}.")
    await finish(session, run_id, status=RunStatus.CANCELLED)


async def finish(
    session: WriteSession,
    run_id: UUID,
    *,
    status: RunStatus,
    error: str | None = None,
    reconciliation_id: UUID | None = None,
) -> bool:
    """Make a run final, once; its streams that are not final yet share its end."""
    done = await repository.update_run(
        session,
        run_id,
        status=status,
        error=error,
        finished_at=clock.now(),
        reconciliation_id=reconciliation_id,
    )
    if done:
        await repository.end_streams(session, run_id, status=status)
        await repository.forget_seen(session, run_id)
        run = await repository.find_run(session, run_id)
        if run is not None:
            await pull_ended(session, run, status=status, sentence=error)
    return done
