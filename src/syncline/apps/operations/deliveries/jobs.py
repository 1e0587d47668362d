from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from syncline.apps.operations.deliveries import service
from syncline.apps.operations.deliveries.service import DELIVER_JOB
from syncline.runtime.jobs import Job, JobContext, RetryPolicy

# Standard Webhooks suggests attempts over three days; a notification that late tells nothing new. This is about one.
RETRY = RetryPolicy(max_attempts=16, base=timedelta(seconds=5), cap=timedelta(hours=4))


async def deliver(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Hand one notification over. Safe to run again: one that has ended is left alone."""
    is_last = ctx.attempt >= RETRY.max_attempts
    await service.attempt(ctx.runtime, ctx.tenant_id, UUID(payload["delivery_id"]), is_last=is_last)


JOBS = (Job(DELIVER_JOB, deliver, retry=RETRY),)
