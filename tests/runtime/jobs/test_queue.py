"""Enqueueing, keys and cancelling, as the caller's transaction sees them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import Job, JobContext, JobQueue, store


async def nothing(_: JobContext, __: dict[str, Any]) -> None:
    return


NOOP = Job("trial.noop", nothing)
QUEUE = JobQueue([NOOP])


class _Refused(Exception):
    pass


async def _enqueue_and_fail(database: Database, tenant: TenantId) -> None:
    async with database.writing(tenant) as session:
        await QUEUE.enqueue(session, "trial.noop", {})
        raise _Refused


async def test_rolled_back_enqueue_leaves_nothing(database: Database, tenant_id: TenantId) -> None:
    with pytest.raises(_Refused):
        await _enqueue_and_fail(database, tenant_id)
    async with database.system() as session:
        assert await QUEUE.depth(session) == []


async def test_committed_enqueue_waits_with_its_tenant(session: WriteSession, tenant_id: TenantId) -> None:
    job_id = await QUEUE.enqueue(session, "trial.noop", {"store": "é\0"})
    assert await QUEUE.find_state(session, job_id) == "waiting"
    connection = await session.driver()
    row = await (await connection.execute("SELECT entrypoint, payload FROM jobs.pgqueuer")).fetchone()
    assert row is not None
    assert row[0] == f"trial.noop@{tenant_id.hex}"
    assert msgspec.json.decode(row[1]) == {"store": "é\0", "tenant_id": str(tenant_id)}


async def test_job_that_nobody_declares_is_refused(session: WriteSession) -> None:
    with pytest.raises(LookupError, match=r"trial\.unheard"):
        await QUEUE.enqueue(session, "trial.unheard", {})


async def test_two_jobs_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two jobs"):
        JobQueue([NOOP, NOOP])


@pytest.mark.parametrize("name", ["noop", ".noop", "trial.", "trial.no op", "trial.a@b"])
def test_name_without_app_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"app\.verb_noun"):
        Job(name, nothing)


async def test_tenant_of_the_session_cannot_be_overruled(session: WriteSession) -> None:
    with pytest.raises(ValueError, match="may not enqueue"):
        await QUEUE.enqueue(session, "trial.noop", {"tenant_id": str(new_id())})


async def test_system_session_may_name_the_tenant(database: Database, tenant_id: TenantId) -> None:
    async with database.system() as session:
        await QUEUE.enqueue(session, "trial.noop", {"tenant_id": str(tenant_id)})
        connection = await session.driver()
        row = await (await connection.execute("SELECT headers ->> 'tenant' FROM jobs.pgqueuer")).fetchone()
    assert row == (tenant_id.hex,)


async def test_same_key_gives_the_waiting_job_and_the_higher_priority(session: WriteSession) -> None:
    first = await QUEUE.enqueue(session, "trial.noop", {}, key="store-1", priority=1)
    again = await QUEUE.enqueue(session, "trial.noop", {}, key="store-1", priority=5)
    other = await QUEUE.enqueue(session, "trial.noop", {}, key="store-2")
    assert (first == again, first == other) == (True, False)
    connection = await session.driver()
    row = await (await connection.execute("SELECT priority FROM jobs.pgqueuer WHERE id = %s", (first,))).fetchone()
    assert row == (5,)


async def test_same_key_of_another_tenant_is_another_job(
    database: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    ids = []
    for tenant in (tenant_id, other_tenant_id):
        async with database.writing(tenant) as session:
            ids.append(await QUEUE.enqueue(session, "trial.noop", {}, key="same"))
    assert len(set(ids)) == 2


async def test_running_job_gives_its_key_back(session: WriteSession, tenant_id: TenantId) -> None:
    first = await QUEUE.enqueue(session, "trial.noop", {}, key="drain")
    connection = await session.driver()
    await connection.execute("UPDATE jobs.pgqueuer SET execute_after = now() - interval '1 second'")
    (claim,) = await store.claim(connection, new_id(), f"trial.noop@{tenant_id.hex}", 10)
    second = await QUEUE.enqueue(session, "trial.noop", {}, key="drain")
    assert (claim.job_id, second == first) == (first, False)


async def test_cancel_drops_what_waits(session: WriteSession) -> None:
    job_id = await QUEUE.enqueue(session, "trial.noop", {})
    assert await QUEUE.cancel(session, [job_id, 10**9]) == 1
    assert await QUEUE.find_state(session, job_id) == "cancelled"


async def test_other_tenant_cannot_cancel(database: Database, tenant_id: TenantId, other_tenant_id: TenantId) -> None:
    async with database.writing(tenant_id) as session:
        job_id = await QUEUE.enqueue(session, "trial.noop", {})
    async with database.writing(other_tenant_id) as session:
        assert await QUEUE.cancel(session, [job_id]) == 0
        assert await QUEUE.find_state(session, job_id) == "waiting"


async def test_depth_counts_by_job_and_state(session: WriteSession) -> None:
    for _ in range(3):
        await QUEUE.enqueue(session, "trial.noop", {})
    (depth,) = await QUEUE.depth(session)
    assert (depth.job, depth.state, depth.count) == ("trial.noop", "waiting", 3)


async def test_installed_library_would_change_nothing_in_our_tables(database: Database) -> None:
    async with database.system() as session:
        plan = await store.queries(await session.driver()).plan_upgrade()
    assert plan.statements == ()
