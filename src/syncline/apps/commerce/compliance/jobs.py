from __future__ import annotations

from typing import Any
from uuid import UUID

from syncline.apps.commerce.compliance import service
from syncline.apps.commerce.compliance.receiving import FOLLOW_JOB
from syncline.runtime.jobs import Job, JobContext, RetryPolicy


async def follow(ctx: JobContext, payload: dict[str, Any]) -> None:
    """One step of a request of Shopify, and the job of the next: until it is completed there is always one waiting.
    Safe to run again."""
    request_id = UUID(payload["request_id"])
    again_at = await service.follow(ctx.runtime, ctx.tenant_id, request_id)
    if again_at is None:
        return
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await ctx.runtime.queue.enqueue(session, FOLLOW_JOB, payload, run_at=again_at, key=str(request_id))


JOBS = (Job(name=FOLLOW_JOB, run=follow, retry=RetryPolicy(max_attempts=50)),)
