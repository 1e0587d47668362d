from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psutil
import structlog

from syncline.apps.commerce.contract import ChangeStatus, PushFinished, RunStatus
from syncline.apps.commerce.push import repository
from syncline.apps.commerce.push.engine import repository as claims
from syncline.apps.commerce.push.engine.pool import LEASE, Ending, Pool
from syncline.apps.commerce.push.engine.priorities import STEPS
from syncline.apps.commerce.push.engine.rounds import Bench
from syncline.apps.commerce.push.mirroring_wholes import load_made
from syncline.apps.commerce.push.repository import PushRow
from syncline.apps.commerce.push.service import HELP_JOB, PUSH_JOB, lock_of, payload_of
from syncline.apps.commerce.push.telling import PushTelling, push_ended
from syncline.apps.commerce.push_contract import Wanted
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.connection import client_of
from syncline.apps.commerce.stores.repository import StoreRow, find_by_id
from syncline.connectors.shopify.client import ShopifyClient
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome, Fatal, Unavailable
from syncline.runtime.app import Runtime
from syncline.runtime.bus import publish
from syncline.runtime.connect.persist import persist
from syncline.runtime.jobs import Job, JobContext, RetryPolicy

log = structlog.get_logger(__name__)

_HELP_AGAIN = timedelta(seconds=5)
_at_work: WeakKeyDictionary[Runtime, set[UUID]] = WeakKeyDictionary()
"""The pushes that each runtime of this process works at."""


async def push_changes(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Send a run's approved changes. Safe to run again, and beside others: what is claimed is claimed once, and what is
    in the air is read back first. After its turn it goes to the end of the queue with what is left."""
    run_id = UUID(payload["run_id"])
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        held = await repository.take_run(session, run_id)
        row = await find_by_id(session, held.store_id) if held is not None else None
        if held is not None and not await claims.has_units(session, run_id):
            await claims.ensure_units(session, held)
    if held is None or row is None:
        return
    try:
        with _working(ctx.runtime, run_id):
            ending = await _persist(ctx, held, row)
    except ConnectorOutcome as error:
        await _finish(ctx, held, row, RunStatus.FAILED, error.sentence)
    except Unavailable:
        raise  # the database is away: nothing can be written down, so the queue tries again
    except Exception as error:
        reason = f"An error of Syncline's own stopped the push ({type(error).__name__})."
        await _finish(ctx, held, row, RunStatus.FAILED, reason)
        raise Fatal("A push was stopped by an error of Syncline's own.", detail=repr(error)) from error
    else:
        await _end(ctx, held, row, ending)


async def help_push(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Work at a push that another process leads, as long as there is something to claim. In the leading process, or
    one that helps already, it is left for somebody else to take."""
    run_id = UUID(payload["run_id"])
    async with ctx.runtime.database.reading(ctx.tenant_id) as session:
        held = await repository.find_run(session, run_id)
        row = await find_by_id(session, held.store_id) if held is not None else None
        look = await claims.look(session, run_id, LEASE)
    is_over = look is None or not look.is_live or look.wanted is not Wanted.RUN or look.open == 0
    if held is None or row is None or is_over:
        return
    await _call_for_help(ctx, held)
    if run_id in _at_work.get(ctx.runtime, ()):
        return
    try:
        with _working(ctx.runtime, run_id):
            await _work(ctx, held, row, leads=False)
    except ConnectorOutcome as error:
        log.warning("push.helper_gave_up", run_id=str(run_id), reason=error.sentence)


@contextmanager
def _working(runtime: Runtime, run_id: UUID) -> Iterator[None]:
    here = _at_work.setdefault(runtime, set())
    here.add(run_id)
    try:
        yield
    finally:
        here.discard(run_id)


async def _persist(ctx: JobContext, held: PushRow, row: StoreRow) -> Ending:
    settings = ctx.runtime.settings_of("commerce", CommerceSettings)
    endings: list[Ending] = []
    pools: list[Pool] = []

    async def work() -> None:
        endings.append(await _work(ctx, held, row, leads=True, pools=pools))

    async def tell(sentence: str) -> None:
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            await repository.change_run(session, held.id, error=sentence)
            await PushTelling(row.store.name).wait(session, held, sentence)

    await persist(
        work,
        mark=lambda: sum(pool.settled for pool in pools),
        what=f"push to {row.store.name}",
        tell=tell,
        max_failures=settings.max_failures,
    )
    return endings[-1]


async def _work(
    ctx: JobContext, held: PushRow, row: StoreRow, *, leads: bool, pools: list[Pool] | None = None
) -> Ending:
    settings = ctx.runtime.settings_of("commerce", CommerceSettings)
    ends_at = time.monotonic() + settings.push_turn.total_seconds()
    process = psutil.Process()
    async with client_of(ctx.runtime, row) as client:
        bench = Bench(
            ctx.runtime.database, ctx.tenant_id, client, row.store.currency, held, PushTelling(row.store.name)
        )
        pool = Pool(
            bench,
            process=f"{socket.gethostname()}:{os.getpid()}",
            leads=leads,
            must_go=lambda: ctx.stopping or time.monotonic() > ends_at,
            measure=lambda: process.memory_info().rss / settings.push_memory_bytes,
        )
        if pools is not None:
            pools.append(pool)
        if leads and held.total >= settings.push_help_from and held.max_workers > 1:
            await _call_for_help(ctx, held)
        ending = await pool.run()
        if leads:
            await _keep_made(ctx, held, client)
        return ending


async def _keep_made(ctx: JobContext, held: PushRow, client: ShopifyClient) -> None:
    """A worker that was killed between making a product and reading it left that to us."""
    async with ctx.runtime.database.reading(ctx.tenant_id) as session:
        numbers = await repository.list_unmirrored(session, held)
    await load_made(ctx.runtime.database, ctx.tenant_id, client, held.store_id, numbers)


async def _call_for_help(ctx: JobContext, held: PushRow) -> None:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await ctx.runtime.queue.enqueue(
            session,
            HELP_JOB,
            payload_of(held),
            priority=STEPS[held.priority],
            run_at=clock.now() + _HELP_AGAIN,
            key=str(held.id),
        )


async def _end(ctx: JobContext, held: PushRow, row: StoreRow, ending: Ending) -> None:
    if ending in {Ending.PAUSED, Ending.HANDED_OVER}:
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            if ending is Ending.PAUSED and await repository.pause_run(session, held.id):
                return
            await ctx.runtime.queue.enqueue(session, PUSH_JOB, payload_of(held), priority=STEPS[held.priority])
    elif ending is Ending.STOPPED:
        await _finish(ctx, held, row, RunStatus.CANCELLED, "Stopped.")
    else:
        await _finish(ctx, held, row, RunStatus.COMPLETED, None)


async def _finish(ctx: JobContext, held: PushRow, row: StoreRow, status: RunStatus, error: str | None) -> None:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        counts = await repository.count_changes(session, held.id)
        left = counts.get(ChangeStatus.APPROVED, 0) + counts.get(ChangeStatus.SENDING, 0)
        sentence = None
        if error is not None and status is RunStatus.CANCELLED:
            sentence = f"{error} {left:,} approved changes were not begun; the next push takes them."
        elif error is not None:
            sentence = f"{error} {left:,} changes are not written or not confirmed; push again when it is mended."
        if await repository.finish_run(session, held.id, status=status, error=sentence):
            await push_ended(session, held, row.store.name, status=status, sentence=sentence, counts=counts)
            await publish(session, PushFinished(store_id=held.store_id, run_id=held.id, counts=counts))


_RETRY = RetryPolicy(max_attempts=50)
JOBS = (
    Job(name=PUSH_JOB, run=push_changes, retry=_RETRY, lock=lock_of),
    Job(name=HELP_JOB, run=help_push, retry=_RETRY),
)
