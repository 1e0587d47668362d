"""`/live`, `/ready`, `/health` and `/metrics`: what orchestrators, people and Prometheus ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
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
_KEPT_SECONDS = 1.0
_COME_BACK_SECONDS = 5


class Standing(StrEnum):
    """How a part is. `DEGRADED` works, and somebody should look; `DOWN` does not; `OFF` was never asked for."""

    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"
    OFF = "OFF"


_WORDS = {Standing.UP: "healthy", Standing.DEGRADED: "degraded", Standing.DOWN: "unhealthy"}
_WORST_LAST = (Standing.OFF, Standing.UP, Standing.DEGRADED, Standing.DOWN)


@dataclass(frozen=True)
class CheckResult:
    """`reason` says what is wrong and what to do, when something is; `facts` are shown with `?format=detail`."""

    standing: Standing
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def up(cls, **facts: Any) -> CheckResult:
        return cls(Standing.UP, facts=facts)

    @classmethod
    def degraded(cls, reason: str, **facts: Any) -> CheckResult:
        return cls(Standing.DEGRADED, reason, facts)

    @classmethod
    def down(cls, reason: str, **facts: Any) -> CheckResult:
        return cls(Standing.DOWN, reason, facts)

    @classmethod
    def off(cls, reason: str) -> CheckResult:
        return cls(Standing.OFF, reason)


@dataclass(frozen=True)
class Check:
    """One part that is well or not. `gates_ready` keeps traffic away while it is down; `shown_as` is its name in the
    detailed form, where callers rely on another."""

    name: str
    look: Callable[[], Awaitable[CheckResult]]
    gates_ready: bool = True
    shown_as: str | None = None


async def run_check(check: Check) -> CheckResult:
    """A check that raises is a check that failed."""
    try:
        return await check.look()
    except Exception as error:  # noqa: BLE001 - whatever broke, the answer is that this part is not well; it is logged
        log.warning("health check failed", check=check.name, error=repr(error))
        return CheckResult.down(f"cannot be reached ({type(error).__name__})")


class Panel:
    """The checks of one process. Whoever asks while one is looking, or within a second after, is told the same: these
    addresses are open and not counted, and must not become a way to keep the database busy."""

    def __init__(self, checks: Iterable[Check]) -> None:
        self.checks = tuple(checks)
        self._looking: dict[str, tuple[float, asyncio.Task[CheckResult]]] = {}
        self._stuck: dict[str, asyncio.Task[CheckResult]] = {}

    async def look(self, checks: Sequence[Check]) -> dict[str, tuple[Check, CheckResult]]:
        """Of these checks, by their names and in their order."""
        results = await asyncio.gather(*(self._result(check) for check in checks))
        return {check.name: (check, result) for check, result in zip(checks, results, strict=True)}

    async def _result(self, check: Check) -> CheckResult:
        now = time.monotonic()
        began, task = self._looking.get(check.name, (0.0, None))
        if task is None or (task.done() and now - began > _KEPT_SECONDS):
            task = asyncio.create_task(self._in_time(check), name=f"health {check.name}")
            self._looking[check.name] = (now, task)
        return await asyncio.shield(task)

    async def _in_time(self, check: Check) -> CheckResult:
        """What hangs is told to end and not waited for: a driver whose server is silent takes many seconds over that.
        Until it has, nobody looks again, or each look would hold one connection more."""
        if check.name in self._stuck:
            return CheckResult.down("does not answer")
        task = asyncio.create_task(run_check(check), name=f"look at {check.name}")
        done, _ = await asyncio.wait({task}, timeout=_TIMEOUT_SECONDS)
        if done:
            return task.result()
        task.cancel()
        self._stuck[check.name] = task
        task.add_done_callback(lambda _: self._stuck.pop(check.name))
        return CheckResult.down(f"did not answer within {_TIMEOUT_SECONDS:g} s")


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
    """200 when the database answers and is migrated and, where this process runs jobs, the worker is up. 503 from the
    moment on in which the process was told to stop."""
    if request.app.state.is_stopping:
        return _answer({"status": "not ready", "reasons": {"process": "is stopping"}}, is_well=False)
    panel: Panel = request.app.state.panel
    found = await panel.look([check for check in panel.checks if check.gates_ready])
    reasons = {
        name: result.reason or "is not healthy"
        for name, (_, result) in found.items()
        if result.standing is Standing.DOWN
    }
    body: dict[str, Any] = {"status": "not ready", "reasons": reasons} if reasons else {"status": "ready"}
    return _answer(body, is_well=not reasons)


@router.get(
    "/health",
    summary="How is every part",
    dependencies=[Depends(require_key_unless_open)],
    responses={**problems(Unauthenticated), 503: {"description": "A part is down", **_OF_HEALTH}},
)
@router.get("/api/health", summary="The same", include_in_schema=False, dependencies=[Depends(require_key_unless_open)])
async def health(
    request: Request,
    shape: Annotated[Literal["short", "detail"], Query(alias="format", description="`detail` adds facts")] = "short",
) -> JSONResponse:
    """`{"status","timestamp","checks":[{"database":"healthy"},...]}`; with `?format=detail` a mapping with facts.

    `healthy` and `degraded` are 200: what is degraded still works. `unhealthy`, and a process that stops, are 503."""
    panel: Panel = request.app.state.panel
    found = await panel.look(panel.checks)
    worst = max((result.standing for _, result in found.values()), key=_WORST_LAST.index, default=Standing.UP)
    word = "stopping" if request.app.state.is_stopping else _WORDS.get(worst, "healthy")
    body: dict[str, Any] = {"status": word, "timestamp": clock.iso(clock.now()), "version": __version__}
    if shape == "detail":
        body["uptime"] = round(time.monotonic() - started, 1)
        body["checks"] = {check.shown_as or name: _detail(result) for name, (check, result) in found.items()}
    else:
        body["checks"] = [
            {name: _WORDS[result.standing]}
            for name, (_, result) in found.items()
            if result.standing is not Standing.OFF
        ]
    return _answer(body, is_well=word in {"healthy", "degraded"})


def _detail(result: CheckResult) -> dict[str, Any]:
    detail: dict[str, Any] = {"status": result.standing.value, **result.facts}
    if result.reason:
        detail["reason"] = result.reason
    return detail


def _answer(body: Mapping[str, Any], *, is_well: bool) -> JSONResponse:
    headers = {"Cache-Control": "no-store"}
    if not is_well:
        headers["Retry-After"] = str(_COME_BACK_SECONDS)
    return JSONResponse(body, status_code=200 if is_well else 503, headers=headers)


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
