"""Stored webhooks are applied in batches, store by store, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.connection import client_of
from syncline.apps.commerce.stores.repository import StoreRow, find_by_id
from syncline.apps.commerce.webhooks import claims, reading
from syncline.apps.commerce.webhooks.applying import apply
from syncline.apps.commerce.webhooks.claims import Claimed
from syncline.apps.commerce.webhooks.reading import StoreReader
from syncline.apps.commerce.webhooks.writing import APPLY_JOB, enqueue_apply
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome, DomainError, Retriable, Skippable, Unavailable
from syncline.runtime.controls.stops import Paused, UnderMaintenance, WritesStopped, require_open
from syncline.runtime.db.session import Session
from syncline.runtime.jobs import Job, JobContext, RetryPolicy
from syncline.runtime.observe.correlation import correlated
from syncline.runtime.observe.logs import get_logger
from syncline.runtime.observe.metrics import LATENCY_BUCKETS, Counter, Histogram

log = get_logger(__name__)

READ_JOB: Final = "commerce.read_told_records"
BATCH: Final = 500
_STOPPED_WAIT: Final = timedelta(minutes=1)
_READ_WAIT: Final = timedelta(minutes=2)
_BACKOFF: Final = RetryPolicy(base=timedelta(seconds=10), cap=timedelta(hours=1))

APPLIED = Counter("syncline_webhooks_applied_total", "Webhooks that were worked on, by what came of them", ["outcome"])
LAG = Histogram(
    "syncline_webhook_lag_seconds",
    "From the receipt of a webhook until it is settled",
    buckets=(*LATENCY_BUCKETS, 60.0, 300.0, 1800.0, 7200.0),
)


async def apply_stored(ctx: JobContext, payload: dict[str, Any]) -> None:
    """All that is due of one store. Safe to run again, and at the same time as another: rows are taken with a lease,
    and their states change together with the mirror."""
    store_id = UUID(payload["store_id"])
    row = await _store(ctx, store_id)
    if row is None:
        return
    while not (ctx.stopping or await ctx.cancelled()):
        if await _is_applying_stopped(ctx, store_id):
            return
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            killed = await claims.bury_deadly(session, store_id)
            claimed = await claims.claim(session, store_id, BATCH)
        if killed:
            APPLIED.labels("dead").inc(killed)
            log.error("webhooks that end their worker were given up", store=row.store.name, count=killed)
        if not claimed:
            break
        await _apply(ctx, row.store, claimed)
    await _go_on(ctx, store_id)


async def _store(ctx: JobContext, store_id: UUID) -> StoreRow | None:
    async with ctx.runtime.database.reading(ctx.tenant_id) as session:
        return await find_by_id(session, store_id)


async def _is_applying_stopped(ctx: JobContext, store_id: UUID) -> bool:
    """While nothing of the store may be changed its webhooks wait, and this looks again."""
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        is_stopped = await _is_stopped(session, store_id)
        if is_stopped:
            await enqueue_apply(session, ctx.runtime.queue, ctx.tenant_id, store_id, clock.now() + _STOPPED_WAIT)
    return is_stopped


async def _is_stopped(session: Session, store_id: UUID) -> bool:
    try:
        await require_open(session, store_id=store_id)
    except (Paused, UnderMaintenance, WritesStopped):
        return True
    return False


async def _apply(ctx: JobContext, store: Store, claimed: Sequence[Claimed]) -> None:
    """Together; and when something is wrong with one of them each by itself, so that the others are not kept up."""
    try:
        await _apply_together(ctx, store, claimed)
    except (Unavailable, asyncio.CancelledError):
        # The database is away, or this worker stops: the leases end, and the queue tries again.
        if len(claimed) == 1:
            await _absolve(ctx, claimed[0])
        raise
    except Exception as error:  # noqa: BLE001 - whatever one of them is about, it is found by trying each
        if len(claimed) == 1:
            await _fail(ctx, claimed[0], error)
            return
        log.warning(
            "a batch of webhooks is applied one by one", store=store.name, count=len(claimed), error=repr(error)
        )
        for one in claimed:
            if await _start_alone(ctx, one):
                await _apply(ctx, store, [one])


async def _start_alone(ctx: JobContext, event: Claimed) -> bool:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        return await claims.start_alone(session, event.id)


async def _absolve(ctx: JobContext, event: Claimed) -> None:
    """What was tried when the work stopped for another reason is not what ends its workers."""
    try:
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            await claims.came_back(session, event.id)
    except Unavailable as error:
        log.warning("a webhook stays under suspicion: the database is away", webhook=str(event.id), error=repr(error))


async def _apply_together(ctx: JobContext, store: Store, claimed: Sequence[Claimed]) -> None:
    with correlated(claimed[0].correlation_id):
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            settled = await apply(session, ctx.runtime, store, claimed)
            if await reading.next_due(session, store.id) is not None:
                await enqueue_reading(session, ctx, store.id)
    now = clock.now()
    received = {one.id: one.received_at for one in claimed}
    for one in settled:
        APPLIED.labels(one.outcome.value).inc()
        LAG.observe(max(0.0, (now - received[one.id]).total_seconds()))
    log.info("webhooks applied", store=store.name, count=len(settled))


async def _fail(ctx: JobContext, event: Claimed, error: Exception) -> None:
    settings = ctx.runtime.settings_of("commerce", CommerceSettings)
    is_last = isinstance(error, Skippable) or event.attempts >= settings.webhook_attempts
    again_at = None if is_last else clock.now() + _BACKOFF.backoff(event.attempts, lambda: 1.0)
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await claims.fail(session, event.id, _why(error), again_at=again_at)
    APPLIED.labels("dead" if is_last else "failed").inc()
    tell = log.error if is_last else log.warning
    tell(
        "a webhook could not be applied",
        exc_info=error,
        webhook=str(event.id),
        topic=event.topic,
        attempt=event.attempts,
        is_given_up=is_last,
        correlation_id=event.correlation_id,
    )


def _why(error: Exception) -> str:
    if isinstance(error, ConnectorOutcome | DomainError):
        detail = getattr(error, "detail", "")
        return f"{error.sentence} ({detail})" if detail else error.sentence
    if isinstance(error, SQLAlchemyError):
        return f"The database refused what it says ({type(getattr(error, 'orig', error)).__name__})."
    return f"An error of Syncline's own stopped it ({type(error).__name__}); please report it."


async def _go_on(ctx: JobContext, store_id: UUID) -> None:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        due_at = await claims.next_due(session, store_id)
        if due_at is not None:
            later = due_at if due_at > clock.now() else None
            await enqueue_apply(session, ctx.runtime.queue, ctx.tenant_id, store_id, later)


async def enqueue_reading(session: Any, ctx: JobContext, store_id: UUID, at: datetime | None = None) -> None:
    key = str(store_id) if at is None else f"{store_id}:later"
    await ctx.runtime.queue.enqueue(session, READ_JOB, {"store_id": str(store_id)}, run_at=at, key=key)


async def read_told(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Read from the store what webhooks told only a part of. Safe to run again; what cannot be read stays listed, and
    so does all of it while nothing of the store may be changed."""
    store_id = UUID(payload["store_id"])
    row = await _store(ctx, store_id)
    if row is None:
        return
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        if await _is_stopped(session, store_id):
            await enqueue_reading(session, ctx, store_id, at=clock.now() + _STOPPED_WAIT)
            return
        streams = await reading.due_streams(session, store_id)
    for stream in streams:
        await _read_stream(ctx, row, stream)
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        due_at = await reading.next_due(session, store_id)
        if due_at is not None:
            await enqueue_reading(session, ctx, store_id, at=max(due_at, clock.now() + timedelta(seconds=1)))


async def _read_stream(ctx: JobContext, row: StoreRow, stream: str) -> None:
    try:
        async with client_of(ctx.runtime, row) as client:
            reader = StoreReader(ctx.runtime.database, ctx.tenant_id, client, row.store)
            while not ctx.stopping and await reader.read(stream):
                continue
    except ConnectorOutcome as error:
        asked = error.wait if isinstance(error, Retriable) else None
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            await reading.put_off(session, row.store.id, stream, error.sentence, asked or _READ_WAIT)
        log.warning("what webhooks told of cannot be read now", store=row.store.name, stream=stream, error=str(error))


def _lock(prefix: str) -> Any:
    def lock(payload: Mapping[str, Any]) -> str:
        return f"{prefix}:{payload['store_id']}"

    return lock


JOBS = (
    Job(name=APPLY_JOB, run=apply_stored, retry=RetryPolicy(max_attempts=50), lock=_lock("webhooks")),
    Job(name=READ_JOB, run=read_told, retry=RetryPolicy(max_attempts=50), lock=_lock("webhook-reading")),
)
