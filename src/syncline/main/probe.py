"""A job that does nothing, by which somebody outside can see that workers take jobs and end them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from syncline.runtime.app import Runtime
from syncline.runtime.jobs import Job, JobContext, RetryPolicy
from syncline.runtime.jobs.queue import JobState

_LOOK_SECONDS = 0.05


async def _answer(_: JobContext, __: dict[str, Any]) -> None:
    """That it was taken and ended is the answer."""


PROBE = Job(name="main.answer_probe", run=_answer, retry=RetryPolicy(max_attempts=2))


@dataclass(frozen=True, slots=True)
class Probed:
    """How far the probe came, and after how many seconds."""

    state: JobState | None
    seconds: float


async def probe_workers(runtime: Runtime, *, patience: timedelta) -> Probed:
    """Enqueue the job before all others and wait for its end. One that nobody took is withdrawn."""
    began = time.monotonic()
    async with runtime.database.system() as session:
        job_id = await runtime.queue.enqueue(session, PROBE.name, {}, priority=100)
    while True:
        async with runtime.database.system() as session:
            state = await runtime.queue.find_state(session, job_id)
        seconds = time.monotonic() - began
        if state not in {"waiting", "running"}:
            return Probed(state, seconds)
        if seconds > patience.total_seconds():
            async with runtime.database.system() as session:
                await runtime.queue.cancel(session, [job_id])
            return Probed(state, seconds)
        await asyncio.sleep(_LOOK_SECONDS)
