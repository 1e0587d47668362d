"""`/api/batch`: bulk operations on products."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from syncline.apps.commerce.batch.schemas import BatchHistory, BatchOutcome, BatchProcess
from syncline.apps.commerce.batch_contract import (
    BatchNotRetried,
    BatchPreview,
    BatchRun,
    BatchRunEnded,
    BatchRunNotFound,
)
from syncline.apps.commerce.contract import Commerce, StoreNotFound
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Paging, pagination, uses
from syncline.runtime.http.problems import problems

batch = APIRouter(prefix="/api/batch", tags=["bulk operations"])
ROUTERS = (batch,)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Reader = Annotated[Actor, Depends(require("changes:read"))]
Stager = Annotated[Actor, Depends(require("changes:stage"))]


@batch.post("/process", status_code=202, summary="Start a bulk operation", responses=problems(StoreNotFound))
async def process(body: BatchProcess, actor: Stager, commerce: Commerced) -> BatchRun:
    """A worker stages it, all of it or nothing; follow it at `/api/batch/status/{id}`. Nothing is written to the store
    before it is approved and pushed."""
    return await commerce.start_batch(actor=actor, request=body.request())


@batch.post("/preview", summary="Preview a bulk operation", responses=problems(StoreNotFound))
async def preview(body: BatchProcess, actor: Stager, commerce: Commerced) -> BatchPreview:
    """Exact counts, and the first hundred changes. Nothing is staged."""
    return await commerce.preview_batch(actor=actor, request=body.request())


@batch.get("/status/{run_id}", summary="Follow a bulk operation", responses=problems(BatchRunNotFound))
async def status(run_id: UUID, actor: Reader, commerce: Commerced) -> BatchRun:
    return await commerce.get_batch_run(actor=actor, run_id=run_id)


@batch.post("/cancel/{run_id}", summary="Cancel a bulk operation", responses=problems(BatchRunNotFound, BatchRunEnded))
async def cancel(run_id: UUID, actor: Stager, commerce: Commerced) -> BatchRun:
    """Nothing of it is staged."""
    return await commerce.cancel_batch(actor=actor, run_id=run_id)


@batch.get("/history", summary="List bulk operations", responses=problems(StoreNotFound))
async def history(
    actor: Reader, commerce: Commerced, paging: Paging, store: Annotated[str | None, Query()] = None
) -> BatchHistory:
    """Newest first."""
    page = await commerce.list_batch_runs(actor=actor, store=store, page=paging)
    return BatchHistory(runs=list(page.items), pagination=pagination(page))


@batch.get("/results/{run_id}", summary="Show what came of a bulk operation", responses=problems(BatchRunNotFound))
async def results(run_id: UUID, actor: Reader, commerce: Commerced, paging: Paging) -> BatchOutcome:
    """Its batches with their changes by status as they are now, and the products that were refused, a page at a
    time."""
    found = await commerce.get_batch_results(actor=actor, run_id=run_id, page=paging)
    return BatchOutcome(
        run=found.run,
        parts=list(found.parts),
        refusals=list(found.refusals.items),
        pagination=pagination(found.refusals),
    )


@batch.post(
    "/retry/{run_id}",
    status_code=202,
    summary="Retry a bulk operation",
    responses=problems(BatchRunNotFound, BatchNotRetried),
)
async def retry(run_id: UUID, actor: Stager, commerce: Commerced) -> BatchRun:
    """The whole again where it failed or was cancelled, else the products it refused."""
    return await commerce.retry_batch(actor=actor, run_id=run_id)
