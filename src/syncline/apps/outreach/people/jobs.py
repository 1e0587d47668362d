from __future__ import annotations

from typing import Any

from syncline.apps.outreach.connections.service import ConnectionNotFound
from syncline.apps.outreach.people import service
from syncline.runtime.jobs import Job, JobContext, RetryPolicy


async def push(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Whoever changed, to Attio. Safe to run again: a person is found by his address."""
    del payload
    try:
        await service.push(ctx)
    except ConnectionNotFound:
        return  # it was taken away


JOBS = (Job(service.PUSH_JOB, push, retry=RetryPolicy(max_attempts=20), lock=lambda _: "attio"),)
