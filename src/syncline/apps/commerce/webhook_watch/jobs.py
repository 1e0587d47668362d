from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.repository import StoreRow, find_by_id
from syncline.apps.commerce.webhook_watch import catching_up, repository, service
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome, DomainError, Retriable
from syncline.runtime.controls.stops import list_pauses
from syncline.runtime.jobs import Job, JobContext, RetryPolicy, Schedule

TICK_JOB = "commerce.find_watched_stores"
WATCH_JOB = "commerce.watch_webhooks"
BLIND_AFTER = timedelta(hours=4)
"""Shopify tries that long to deliver; who did not look for longer may have missed some."""


async def find_watched(ctx: JobContext, _: dict[str, Any]) -> None:
    """Every five minutes: a job for each connected store, in one transaction; whether anything is to be done is looked
    at inside its tenant. Safe to run again, and at the same time as another."""
    async with ctx.runtime.database.system() as session:
        for store_id, tenant_id in await repository.list_shops(session):
            payload = {"store_id": str(store_id), "tenant_id": str(tenant_id)}
            await ctx.runtime.queue.enqueue(session, WATCH_JOB, payload, key=f"webhooks:{store_id}")


async def watch(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Mend the store's subscriptions and look for what was missed, each when it is time. Safe to run again."""
    settings = ctx.runtime.settings_of("commerce", CommerceSettings)
    store_id, now = UUID(payload["store_id"]), clock.now()
    async with ctx.runtime.database.reading(ctx.tenant_id) as session:
        row = await find_by_id(session, store_id)
        found = await repository.find_watch(session, store_id)
        if row is None or found is None or row.token_sealed is None:
            return
        if any(one.store_id in {None, store_id} for one in await list_pauses(session)):
            return
    try:
        if found.checked_at is None or found.checked_at <= now - settings.webhook_check:
            await _note_blindness(ctx, found)
            await service.check(ctx.runtime, ctx.tenant_id, row, actor=service.actor_of(ctx.tenant_id))
        await _catch_up(ctx, row, settings)
    except Retriable:
        raise
    except (ConnectorOutcome, DomainError) as error:
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            await repository.change_watch(session, store_id, checked_at=now, sentence=error.sentence)


async def _note_blindness(ctx: JobContext, found: repository.Watch) -> None:
    """Nobody looked for longer than Shopify tries to deliver."""
    if found.checked_at is None or clock.now() - found.checked_at < BLIND_AFTER or found.gap_since is not None:
        return
    reason = "Syncline was not running for longer than Shopify tries to deliver."
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await repository.change_watch(session, found.store_id, gap_since=found.checked_at, gap_reason=reason)


async def _catch_up(ctx: JobContext, row: StoreRow, settings: CommerceSettings) -> None:
    async with ctx.runtime.database.reading(ctx.tenant_id) as session:
        found = await repository.find_watch(session, row.store.id)
    if found is None:
        return
    last = found.caught_up_at or found.registered_at
    is_due = last <= clock.now() - settings.webhook_catch_up
    if found.gap_since is None and not is_due:
        return
    cause = catching_up.AFTER_GAP if found.gap_since is not None else catching_up.ON_SCHEDULE
    await catching_up.catch_up(ctx.runtime, ctx.tenant_id, row, cause=cause, actor=service.actor_of(ctx.tenant_id))


JOBS = (
    Job(name=TICK_JOB, run=find_watched, retry=RetryPolicy(max_attempts=3)),
    Job(name=WATCH_JOB, run=watch, retry=RetryPolicy(max_attempts=5)),
)
SCHEDULES = (Schedule(TICK_JOB, "*/5 * * * *"),)
