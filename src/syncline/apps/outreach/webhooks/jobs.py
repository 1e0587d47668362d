from __future__ import annotations

from typing import Any

from syncline.apps.outreach.webhooks import service
from syncline.runtime.jobs import Job, JobContext, RetryPolicy


async def drain(ctx: JobContext, payload: dict[str, Any]) -> None:
    """What the tools told by themselves becomes events. Safe to run again: what is done is marked in the transaction
    that stores it."""
    del payload
    while not ctx.stopping:
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            taken = await service.drain(session, ctx.runtime.queue)
            await ctx.hold(session)
        if taken < service.AT_ONCE:
            return


JOBS = (Job(service.DRAIN_JOB, drain, retry=RetryPolicy(max_attempts=20), lock=lambda _: "webhooks"),)
