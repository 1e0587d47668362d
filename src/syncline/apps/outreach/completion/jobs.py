from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from syncline.apps.outreach.completion import service
from syncline.runtime.jobs import Job, JobContext, RetryPolicy

# Standard Webhooks suggests attempts over three days; that late, the end of a sync tells nothing new. This is one.
RETRY = RetryPolicy(max_attempts=14, base=timedelta(seconds=5), cap=timedelta(hours=4))


async def send(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Tell one webhook of the end of one run. Safe to run again: one that has ended is left alone."""
    is_last = ctx.attempt >= RETRY.max_attempts
    await service.attempt(ctx.runtime, ctx.tenant_id, UUID(payload["completion_id"]), is_last=is_last)


JOBS = (Job(service.SEND_JOB, send, retry=RETRY),)
