"""How a push is carried out: by several workers, in a few requests, paused, stopped and gone on with."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from syncline.apps.commerce.app import APP
from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus, RunNotFound, RunStatus
from syncline.apps.commerce.push.engine import repository as claims
from syncline.apps.commerce.push_contract import EngineConfig, Priority, PushNotLive, PushRefused, Strategy, Wanted
from syncline.kernel.ids import new_id
from syncline.runtime.jobs.testing import eventually

LEASE = timedelta(seconds=6)


async def start(desk: Any, **config: Any) -> Any:
    return await desk.commerce.start_push(actor=desk.pulled.actor, store="demo", config=EngineConfig(**config))


async def get(desk: Any, run: Any) -> Any:
    return await desk.commerce.get_push(actor=desk.pulled.actor, run_id=run.id)


async def test_changes_of_many_products_go_in_two_requests_and_say_what_they_cost(desk: Any) -> None:
    await desk.staged("", "vendor=Acme Engine")
    await desk.staged("", "price=25")
    run = await desk.push()
    assert run.status is RunStatus.COMPLETED
    cost = run.engine.cost
    # Three products and four variants, read in one request and written in another.
    assert (cost.requests, cost.naive_requests) == (2, 12)
    assert cost.charged < cost.naive_points
    assert 0 < cost.points_saved < 1


async def test_run_keeps_how_it_was_asked_to_work(desk: Any) -> None:
    await desk.staged("", "price=25")
    run = await start(desk, min_workers=2, max_workers=3, batch_size=1, priority=Priority.HIGH, strategy=Strategy.COST)
    assert run.engine.config == EngineConfig(2, 3, 1, Priority.HIGH, Strategy.COST)
    assert [job.priority for job in desk.pulled.queue.waiting] == [20]
    await desk.pulled.work()
    done = await get(desk, run)
    assert done.counts == {ChangeStatus.APPLIED: run.total}
    assert len(done.engine.workers) >= 2
    assert {worker.state for worker in done.engine.workers} == {"left"}
    assert sum(worker.done for worker in done.engine.workers) == run.total


@pytest.mark.parametrize(
    "config", [{"max_workers": 0}, {"min_workers": 9, "max_workers": 8}, {"batch_size": 0}, {"max_workers": 65}]
)
async def test_settings_out_of_bounds_are_refused_and_nothing_is_claimed(desk: Any, config: dict[str, int]) -> None:
    await desk.staged("", "price=25")
    with pytest.raises(PushRefused):
        await start(desk, **config)
    assert desk.pulled.queue.waiting == []


async def test_paused_push_waits_and_goes_on(desk: Any) -> None:
    batch = await desk.staged("", "price=25")
    run = await start(desk)
    await desk.commerce.pause_push(actor=desk.pulled.actor, run_id=run.id)
    await desk.pulled.work()
    assert (await get(desk, run)).status is RunStatus.PAUSED
    assert await desk.ledger() == []
    await desk.commerce.resume_push(actor=desk.pulled.actor, run_id=run.id)
    await desk.pulled.work()
    assert (await get(desk, run)).status is RunStatus.COMPLETED
    assert {change.status for change in await desk.changes(batch)} == {ChangeStatus.APPLIED}


async def test_pause_in_the_middle_finishes_what_is_in_flight(desk: Any) -> None:
    batch = await desk.staged("", "price=25")
    run = await start(desk, batch_size=1, max_workers=1)
    await desk.fault("slow=1:2s@UpdateVariants")  # the engine looks four times a second what is wanted of it
    working = asyncio.create_task(desk.pulled.work())

    async def is_sending() -> bool:
        return ChangeStatus.SENDING in (await get(desk, run)).counts

    await eventually(is_sending)
    await desk.commerce.pause_push(actor=desk.pulled.actor, run_id=run.id)
    await working
    paused = await get(desk, run)
    assert paused.status is RunStatus.PAUSED
    assert ChangeStatus.SENDING not in paused.counts
    assert paused.counts[ChangeStatus.APPLIED] > 0
    assert paused.counts[ChangeStatus.APPROVED] > 0
    await desk.commerce.resume_push(actor=desk.pulled.actor, run_id=run.id)
    await desk.pulled.work()
    assert {change.status for change in await desk.changes(batch)} == {ChangeStatus.APPLIED}
    writes = Counter(change["id"] for entry in await desk.ledger() for change in entry["changes"])
    assert set(writes.values()) == {1}


@pytest.mark.parametrize("paused_first", [True, False])
async def test_stopped_push_is_over_and_leaves_the_rest_approved(desk: Any, paused_first: bool) -> None:
    batch = await desk.staged("", "price=25")
    run = await start(desk)
    wishes = [desk.commerce.pause_push] * paused_first + [desk.commerce.stop_push]
    for wish in wishes:
        await wish(actor=desk.pulled.actor, run_id=run.id)
        await desk.pulled.work()
    stopped = await get(desk, run)
    assert (stopped.status, stopped.engine.wanted) == (RunStatus.CANCELLED, Wanted.STOP)
    assert "the next push takes them" in stopped.error
    assert {change.status for change in await desk.changes(batch)} == {ChangeStatus.APPROVED}
    again = await desk.push()
    assert again.counts == {ChangeStatus.APPLIED: run.total}


async def test_push_that_is_over_takes_no_wishes(desk: Any) -> None:
    await desk.staged("", "price=25")
    run = await desk.push()
    with pytest.raises(PushNotLive, match="is over"):
        await desk.commerce.pause_push(actor=desk.pulled.actor, run_id=run.id)
    with pytest.raises(RunNotFound):
        await desk.commerce.stop_push(actor=desk.pulled.actor, run_id=new_id())


async def test_other_tenant_can_neither_see_nor_stop_it(desk: Any, stranger: Any) -> None:
    await desk.staged("", "price=25")
    run = await start(desk)
    assert await desk.commerce.list_pushes(actor=stranger) == []
    with pytest.raises(RunNotFound):
        await desk.commerce.stop_push(actor=stranger, run_id=run.id)
    (mine,) = await desk.commerce.list_pushes(actor=desk.pulled.actor, store="demo", live_only=True)
    assert mine.id == run.id


async def test_two_workers_never_claim_the_same_product(desk: Any) -> None:
    await desk.staged("", "price=25")
    run = await start(desk)
    database, tenant = desk.commerce.runtime.database, desk.pulled.actor.tenant_id

    all_have_claimed = asyncio.Barrier(4)  # and none has committed: who waited for another's rows would never get here

    async def claim(worker: Any) -> list[Any]:
        async with database.writing(tenant) as session:
            units = await claims.claim(session, run.id, worker, 2)
            await all_have_claimed.wait()
            return list(units)

    found = await asyncio.gather(*(claim(new_id()) for _ in range(4)))
    units = [unit for mine in found for unit in mine]
    assert len(units) == len(set(units)) == 3


async def test_silent_worker_loses_its_claims_and_cannot_commit(desk: Any) -> None:
    await desk.staged("", "price=25")
    run = await start(desk)
    database, tenant = desk.commerce.runtime.database, desk.pulled.actor.tenant_id
    async with database.writing(tenant) as session:
        joined = await claims.join(session, run.id, "elsewhere:1")
        assert joined is not None
        assert len(await claims.claim(session, run.id, joined[0], 10)) == 3
    async with database.writing(tenant) as session:
        await claims.beat(session, run.id, [], timedelta(0))
    async with database.writing(tenant) as session:
        with pytest.raises(claims.PushLeaseLost):
            await claims.hold(session, joined[0])
        found = await claims.look(session, run.id, LEASE)
    assert found is not None
    assert (found.open, found.claimed, found.lively) == (3, 0, 0)


async def test_no_more_workers_join_than_the_run_may_have(desk: Any) -> None:
    await desk.staged("", "price=25")
    run = await start(desk, max_workers=2)
    async with desk.commerce.runtime.database.writing(desk.pulled.actor.tenant_id) as session:
        joined = [await claims.join(session, run.id, "here:1") for _ in range(3)]
    assert [one is not None for one in joined] == [True, True, False]


async def test_change_rejected_between_reading_and_writing_is_not_sent(desk: Any) -> None:
    batch = await desk.staged("", "price=25")
    await start(desk)
    door = desk.pulled.shop.door
    door.hold("ReadVariants")
    working = asyncio.create_task(desk.pulled.work())
    await door.wait()
    await desk.commerce.reject(actor=desk.pulled.actor, query=ChangeQuery(batch_id=batch.id))
    door.open()
    await working
    assert {change.status for change in await desk.changes(batch)} == {ChangeStatus.REJECTED}
    assert await desk.ledger() == []


async def test_turn_that_is_over_hands_the_rest_on(desk: Any) -> None:
    desk.commerce.runtime.settings["commerce"] = APP.settings(push_turn=timedelta(0))
    await desk.staged("", "price=25")
    run = await start(desk)
    job = desk.pulled.queue.waiting[0]
    with pytest.raises(RuntimeError, match="still wait"):
        await desk.pulled.queue.run_waiting(desk.commerce.runtime, most=2)
    desk.commerce.runtime.settings["commerce"] = APP.settings()
    assert [waiting.payload for waiting in desk.pulled.queue.waiting] == [job.payload]
    await desk.pulled.work()
    assert (await get(desk, run)).status is RunStatus.COMPLETED
