from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog

from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.directory import repository as directory
from syncline.apps.commerce.stores.tokens.renewal import renew
from syncline.kernel import clock
from syncline.kernel.errors import Fatal, Retriable
from syncline.runtime.jobs import Job, JobContext, RetryPolicy, Schedule

log = structlog.get_logger(__name__)

TICK_JOB = "commerce.find_ending_tokens"
RENEW_JOB = "commerce.renew_token"
_AT_ONCE = 1_000


async def find_ending(ctx: JobContext, _: dict[str, Any]) -> None:
    """Once a minute: a job for each store whose token is to be renewed. Safe to run again, and beside another: a store
    has one job at a time, and the token is renewed once."""
    async with ctx.runtime.database.system() as session:
        for due in await directory.list_due(session, clock.now(), _AT_ONCE):
            payload = {"store_id": str(due.store_id), "tenant_id": str(due.tenant)}
            await ctx.runtime.queue.enqueue(session, RENEW_JOB, payload, key=f"renew:{due.store_id}")


async def renew_token(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Safe to run again: whoever comes second finds another token than was due. What fails is told in the store's
    access, and tried again at a later tick unless the merchant has to act."""
    store_id = UUID(payload["store_id"])
    async with ctx.runtime.database.reading(ctx.tenant_id) as session:
        row = await repository.find_by_id(session, store_id)
        is_due = await directory.is_due(session, store_id, clock.now())
    if row is None or not is_due:
        return
    try:
        await renew(ctx.runtime, ctx.tenant_id, store_id, seen=row.token_sealed)
    except (Fatal, Retriable) as error:
        log.warning("store.token_not_renewed", store=row.store.name, reason=error.sentence)


JOBS = (
    Job(name=TICK_JOB, run=find_ending, retry=RetryPolicy(max_attempts=3)),
    Job(name=RENEW_JOB, run=renew_token, retry=RetryPolicy(max_attempts=5)),
)
SCHEDULES = (Schedule(TICK_JOB, "* * * * *"),)
