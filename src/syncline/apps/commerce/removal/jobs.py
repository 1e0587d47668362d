from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from syncline.apps.commerce.removal.service import REMOVE_JOB, remove_rows
from syncline.kernel import clock
from syncline.runtime.jobs import Job, JobContext, RetryPolicy

log = structlog.get_logger(__name__)

LOOK_AGAIN = timedelta(hours=1)


async def remove_store_rows(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Delete what is left of a removed store, then look once more an hour later: a comparison that was under way when
    the store went may have written its repairs after that. Safe to run again: it goes on with what is there."""
    assert ctx.tenant_id is not None
    rows = await remove_rows(ctx.runtime.database, ctx.tenant_id, UUID(payload["store_id"]))
    log.info("store.rows_removed", store_id=payload["store_id"], rows=rows)
    if not payload.get("again"):
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            await ctx.runtime.queue.enqueue(
                session,
                REMOVE_JOB,
                {"store_id": payload["store_id"], "again": True},
                run_at=clock.now() + LOOK_AGAIN,
                key=f"remove:{payload['store_id']}",
            )


JOBS = (Job(name=REMOVE_JOB, run=remove_store_rows, retry=RetryPolicy(max_attempts=50)),)
