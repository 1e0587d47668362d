"""`GET /api/metrics`: a few figures of this process as JSON, for scripts that do not read Prometheus' format."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import psutil
from fastapi import APIRouter, Depends, Request

from syncline.kernel import clock
from syncline.runtime.app import Runtime
from syncline.runtime.http.auth import require_key_unless_open
from syncline.runtime.http.health import started
from syncline.runtime.limits.policy import Policy
from syncline.runtime.limits.rates import RateBook
from syncline.runtime.live.hub import Hub

router = APIRouter(prefix="/api/metrics", tags=["service"], dependencies=[Depends(require_key_unless_open)])


@router.get("", summary="Figures of this process")
async def figures(request: Request) -> dict[str, Any]:
    """`memory` in bytes: `rss` is resident, `heapUsed` what of it this process shares with no other. `rate_limits` are
    the rates that hold for all tenants, `database` its pool, `live` who watches."""
    state = request.app.state
    runtime: Runtime | None = state.runtime
    hub: Hub | None = state.hub
    process = psutil.Process()
    memory, processor = process.memory_info(), process.cpu_times()
    return {
        "timestamp": clock.iso(clock.now()),
        "uptime": round(time.monotonic() - started, 1),
        # Not every system says what is shared.
        "memory": {"rss": memory.rss, "heapUsed": memory.rss - getattr(memory, "shared", 0), "heapTotal": memory.rss},
        "cpu": {"user_seconds": processor.user, "system_seconds": processor.system},
        "rate_limits": await _rate_limits(state.policies, state.rates),
        "database": None if runtime is None else asdict(runtime.database.pool_status()),
        "live": {"watchers": 0 if hub is None else hub.watching},
    }


async def _rate_limits(declared: Mapping[str, Policy], rates: RateBook | None) -> dict[str, str]:
    """By name, with what the operator changed while everything runs."""
    held = declared if rates is None else {name: await rates.policy(name, None) for name in declared}
    return {name: "off" if one.rate is None else str(one.rate) for name, one in held.items()}
