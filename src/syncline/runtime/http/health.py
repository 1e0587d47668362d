"""`/live`, `/ready`, `/health` and `/metrics`: what orchestrators, people and Prometheus ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from syncline import __version__
from syncline.kernel import clock
from syncline.kernel.errors import Unauthenticated
from syncline.runtime.http.auth import require_key_unless_open
from syncline.runtime.http.problems import problems
from syncline.runtime.observe import metrics
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True)
class CheckResult:
    """`reason` says what is wrong and what to do, when something is; `facts` are shown with `?format=detail`."""

    healthy: bool
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One part that is well or not. `gates_ready` keeps traffic away while it is not."""

    name: str
    look: Callable[[], Awaitable[CheckResult]]
    gates_ready: bool = True


async def run_check(check: Check) -> CheckResult:
    """A check that hangs or raises is a check that failed: health answers in any case."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await check.look()
    except TimeoutError:
        return CheckResult(healthy=False, reason=f"did not answer within {_TIMEOUT_SECONDS:g} s")
    except Exception as error:  # noqa: BLE001 - whatever broke, the answer is that this part is not well; it is logged
        log.warning("health check failed", check=check.name, error=repr(error))
        return CheckResult(healthy=False, reason=f"cannot be reached ({type(error).__name__})")


async def _run_all(request: Request) -> dict[str, tuple[Check, CheckResult]]:
    checks: Sequence[Check] = request.app.state.checks
    results = await asyncio.gather(*(run_check(check) for check in checks))
    return {check.name: (check, result) for check, result in zip(checks, results, strict=True)}


_OF_HEALTH: dict[str, Any] = {"content": {"application/json": {"schema": {"type": "object"}}}}

router = APIRouter(tags=["service"])
started = time.monotonic()


@router.get("/live", summary="Is the process alive")
async def live() -> dict[str, str]:
    """200 while the process can answer at all. Says nothing about what it depends on, so that a database outage does
    not restart every process."""
    return {"status": "alive"}


@router.get(
    "/ready", summary="Can it take work", responses={503: {"description": "Not yet, with the reasons", **_OF_HEALTH}}
)
async def ready(request: Request) -> JSONResponse:
    """200 when the database answers and is migrated and, where this process runs jobs, the worker is up."""
    found = await _run_all(request)
    reasons = {
        name: result.reason or "is not healthy"
        for name, (check, result) in found.items()
        if check.gates_ready and not result.healthy
    }
    body: dict[str, Any] = {"status": "not ready" if reasons else "ready"}
    if reasons:
        body["reasons"] = reasons
    return JSONResponse(body, status_code=503 if reasons else 200, headers={"Cache-Control": "no-store"})


@router.get(
    "/health",
    summary="How is every part",
    dependencies=[Depends(require_key_unless_open)],
    responses={**problems(Unauthenticated), 503: {"description": "A part is not healthy", **_OF_HEALTH}},
)
@router.get("/api/health", summary="The same", include_in_schema=False, dependencies=[Depends(require_key_unless_open)])
async def health(
    request: Request,
    shape: Annotated[Literal["short", "detail"], Query(alias="format", description="`detail` adds facts")] = "short",
) -> JSONResponse:
    """`{"status","timestamp","checks":[{"database":"healthy"},...]}`; with `?format=detail` a mapping with facts."""
    found = await _run_all(request)
    well = all(result.healthy for _, result in found.values())
    body: dict[str, Any] = {
        "status": "healthy" if well else "unhealthy",
        "timestamp": clock.iso(clock.now()),
        "version": __version__,
    }
    if shape == "detail":
        body["uptime"] = round(time.monotonic() - started, 1)
        body["checks"] = {name: _detail(result) for name, (_, result) in found.items()}
    else:
        body["checks"] = [{name: "healthy" if result.healthy else "unhealthy"} for name, (_, result) in found.items()]
    return JSONResponse(body, status_code=200 if well else 503, headers={"Cache-Control": "no-store"})


def _detail(result: CheckResult) -> dict[str, Any]:
    detail: dict[str, Any] = {"status": "UP" if result.healthy else "DOWN", **result.facts}
    if result.reason:
        detail["reason"] = result.reason
    return detail


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    dependencies=[Depends(require_key_unless_open)],
    response_class=PlainTextResponse,
    responses=problems(Unauthenticated),
)
async def prometheus() -> Response:
    """The text format, for a scraper."""
    return Response(metrics.render(), media_type=metrics.CONTENT_TYPE_LATEST)
