"""The fake queue keeps the real one's promises that need no database."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import Job, JobContext
from syncline.runtime.jobs.testing import FakeJobQueue

SEEN: list[tuple[int, dict[str, Any]]] = []


async def _see(context: JobContext, payload: dict[str, Any]) -> None:
    SEEN.append((context.job_id, payload))


def _queue() -> FakeJobQueue:
    SEEN.clear()
    return FakeJobQueue([Job("trial.see", _see)])


async def test_runs_in_order_of_priority(session: WriteSession, tenant_id: TenantId) -> None:
    queue = _queue()
    low = await queue.enqueue(session, "trial.see", {"n": 1})
    high = await queue.enqueue(session, "trial.see", {"n": 2}, priority=5)
    assert await queue.run_waiting(runtime=None) == 2
    tenant = str(tenant_id)
    assert list(SEEN) == [(high, {"n": 2, "tenant_id": tenant}), (low, {"n": 1, "tenant_id": tenant})]


async def test_key_makes_one_job_until_it_has_run(session: WriteSession) -> None:
    queue = _queue()
    first = await queue.enqueue(session, "trial.see", {}, key="k")
    assert await queue.enqueue(session, "trial.see", {}, key="k") == first
    await queue.run_waiting(runtime=None)
    assert await queue.enqueue(session, "trial.see", {}, key="k") != first


async def test_refuses_what_the_real_one_refuses(session: WriteSession) -> None:
    with pytest.raises(LookupError):
        await _queue().enqueue(session, "trial.unheard", {})
    with pytest.raises(ValueError, match="may not enqueue"):
        await _queue().enqueue(session, "trial.see", {"tenant_id": str(new_id())})


async def test_cancelled_job_does_not_run(session: WriteSession) -> None:
    queue = _queue()
    job_id = await queue.enqueue(session, "trial.see", {})
    assert await queue.cancel(session, [job_id]) == 1
    assert await queue.run_waiting(runtime=None) == 0


async def test_jobs_that_enqueue_themselves_for_ever_are_noticed(session: WriteSession) -> None:
    async def again(_: JobContext, __: dict[str, Any]) -> None:
        await queue.enqueue(session, "trial.again", {})

    queue = FakeJobQueue([Job("trial.again", again)])
    await queue.enqueue(session, "trial.again", {})
    with pytest.raises(RuntimeError, match="still wait"):
        await queue.run_waiting(runtime=None, most=5)
