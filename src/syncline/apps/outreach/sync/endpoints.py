"""`/api/full-sync`: begin a run, look at it, cancel it, see what was."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from syncline.apps.outreach.completion import service as completions
from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.addresses import check
from syncline.apps.outreach.sync.asking import parse
from syncline.apps.outreach.sync.schemas import (
    ComparedState,
    CompletionList,
    SigningSecret,
    SyncCancelled,
    SyncCompare,
    SyncExecute,
    SyncHistory,
    SyncPast,
    SyncStarted,
    SyncState,
    SyncSummary,
)
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import (
    SyncAlreadyRunning,
    SyncMode,
    SyncNotFound,
    SyncRefused,
    SyncRequest,
    SyncStatus,
)
from syncline.kernel import clock
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, Writing, runtime_of
from syncline.runtime.http.problems import problems
from syncline.runtime.http.rate_limit import limited

router = APIRouter(prefix="/api/full-sync", tags=["outreach"])
ROUTERS = (router,)

_Runtime = Annotated[Runtime, Depends(runtime_of)]
_Reader = Annotated[Actor, Depends(require("outreach:read"))]
_Syncer = Annotated[Actor, Depends(require("outreach:sync"))]
_Manager = Annotated[Actor, Depends(require("outreach:manage"))]


async def _asked(body: SyncExecute, _: _Syncer, runtime: _Runtime) -> tuple[SyncRequest, dict[str, Any]]:
    """What is asked for, and how it is shown later. Looks up a webhook's name before there is a transaction."""
    told = body.model_dump(exclude_none=True)
    request = parse(told, now=clock.now())
    if request.webhook_url is not None:
        await check(runtime.guard, request.webhook_url)
    return request, {name: value for name, value in told.items() if name != "webhookUrl"}


_Asked = Annotated[tuple[SyncRequest, dict[str, Any]], Depends(_asked)]


@router.post("/execute", summary="Begin a full sync", responses=problems(SyncRefused, SyncAlreadyRunning))
@limited("full-sync:execute")
async def execute(actor: _Syncer, asked: _Asked, session: Writing, runtime: _Runtime) -> SyncStarted:
    """Reads lemlist and Smartlead into `event_source`, and has Mixpanel told. A namespace that does not exist yet is
    made; one that is being synchronised is refused."""
    request, shown = asked
    run = await service.start(session, runtime, request, actor=actor, config=shown)
    return await _started(session, run)


@router.post(
    "/reconcile", summary="Compare source, store and Mixpanel", responses=problems(SyncRefused, SyncAlreadyRunning)
)
@limited("full-sync:execute")
async def reconcile(body: SyncCompare, actor: _Syncer, session: Writing, runtime: _Runtime) -> SyncStarted:
    """Reads the tools without storing, and compares by day and namespace. GET `/reconciliations/{jobId}` has the
    report."""
    told = body.model_dump(exclude_none=True, exclude={"repair", "readBack"})
    run = await service.start_comparison(
        session, runtime, told, actor=actor, repair=body.repair, read_back=body.readBack
    )
    return await _started(session, run)


async def _started(session: Session, run: Run) -> SyncStarted:
    return SyncStarted(
        job_id=str(run.id),
        config=dict(run.config),
        estimated_duration=await service.estimate(session, run.mode),
        progress_url=f"/api/full-sync/status/{run.id}",
    )


@router.get("/status/{job_id}", summary="How a run is", responses=problems(SyncNotFound))
@limited("status")
async def status(job_id: str, runtime: _Runtime) -> SyncState:
    """For whoever knows the id: it is 128 random bits."""
    run_id = _id(job_id)
    return SyncState(**service.told_of(await service.get_by_id(runtime, run_id)))


@router.delete("/cancel/{job_id}", summary="Cancel a run", responses=problems(SyncNotFound))
async def cancel(job_id: str, _: _Syncer, session: Writing, runtime: _Runtime) -> SyncCancelled:
    """What was stored stays. One that has ended stays as it ended."""
    run = await service.cancel(session, runtime.queue, _id(job_id))
    is_ours = run.status is SyncStatus.CANCELLED
    message = "The sync was cancelled; what it had stored stays." if is_ours else f"The sync had {run.status} before."
    return SyncCancelled(jobId=str(run.id), status=run.status.value, message=message)


@router.get("/history", summary="Past runs")
@limited("status")
async def history(
    _: _Reader,
    session: Reading,
    status: Annotated[SyncStatus | None, Query(description="Only those that are so")] = None,
    mode: Annotated[SyncMode | None, Query(description="Only of this mode; comparisons are `reconcile`")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="The latest so many")] = 50,
) -> SyncHistory:
    """The latest first."""
    runs = await service.list_runs(session, limit=limit, status=status, mode=mode)
    return SyncHistory(jobs=[_past(run) for run in runs])


@router.get("/reconciliations/{job_id}", summary="What a comparison found", responses=problems(SyncNotFound))
@limited("status")
async def get_reconciliation(job_id: str, _: _Reader, session: Reading) -> ComparedState:
    run = await service.get(session, _id(job_id))
    if run.mode is not SyncMode.COMPARE:
        raise SyncNotFound(f"{job_id} is a sync and no comparison; begin one with POST /api/full-sync/reconcile.")
    report = None if run.report is None else dict(run.report)
    return ComparedState(jobId=str(run.id), status=run.status.value, report=report, error=run.sentence)


@router.get("/completions", summary="What completion webhooks were told")
async def list_completions(
    _: _Reader, session: Reading, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> CompletionList:
    """The latest first, with how often each was tried and what stood in the way."""
    return CompletionList(completions=list(await completions.list_latest(session, limit=limit)))


@router.post("/completions/secret", summary="Show the secret that signs completion webhooks")
async def show_secret(_: _Manager, session: Writing, runtime: _Runtime) -> SigningSecret:
    return SigningSecret(secret=await completions.secret_of(session, runtime.secrets))


def _id(job_id: str) -> UUID:
    try:
        return UUID(job_id)
    except ValueError as error:
        raise service.not_found(job_id) from error


def _past(run: Run) -> SyncPast:
    told = service.told_of(run)
    return SyncPast(
        jobId=str(run.id),
        status=run.status.value,
        config=dict(run.config),
        duration_ms=run.duration_ms,
        summary=SyncSummary(**told["summary"]),
        requested_by=run.requested_by,
        created_at=run.created_at,
        error=told["error"],
    )
