"""Which worker of a run takes which chunk."""

from __future__ import annotations

from typing import Any

from tests.apps.outreach.conftest import Place

from syncline.apps.outreach.sync import repository
from syncline.apps.outreach.sync.jobs import plan_sync
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import Platform
from syncline.runtime.jobs import JobContext


async def planned(place: Place) -> Run:
    run = await place.begin()
    await plan_sync(JobContext(place.runtime, 1, 1, place.actor.tenant_id), place.queue.waiting.pop(0).payload)
    return run


async def take(place: Place, run: Run, worker: int, prefers: Platform | None = None) -> Any:
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        return await repository.take_chunk(session, run.id, worker, prefers=prefers)


async def take_to_its_end(place: Place, run: Run, prefers: Platform | None) -> Any:
    chunk = await take(place, run, 1, prefers)
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await repository.skip_chunk(session, chunk, "read")
    return chunk


async def test_one_tool_is_read_to_its_end_before_the_other_is_helped_with(place: Place) -> None:
    run = await planned(place)
    ((count, smartlead),) = await place.rows(
        "SELECT count(*), count(*) FILTER (WHERE platform = 'smartlead') FROM outreach.sync_chunk"
    )
    taken = [await take_to_its_end(place, run, Platform.SMARTLEAD) for _ in range(count)]
    tools = [one.platform for one in taken]
    assert tools == ["smartlead"] * smartlead + ["lemlist"] * (count - smartlead)
    assert {one.number for one in taken} == set(range(count))
    assert await take(place, run, 1, Platform.SMARTLEAD) is None


async def test_who_prefers_nothing_takes_them_in_their_order(place: Place) -> None:
    run = await planned(place)
    taken = [await take_to_its_end(place, run, None) for _ in range(3)]
    assert [one.number for one in taken] == [0, 1, 2]


async def test_what_a_worker_was_stopped_in_comes_before_what_it_prefers_and_is_nobody_elses(place: Place) -> None:
    run = await planned(place)
    held = await take(place, run, 1, Platform.LEMLIST)
    other = await take(place, run, 2, Platform.LEMLIST)
    again = await take(place, run, 1, Platform.SMARTLEAD)
    assert (held.number, held.platform) == (again.number, "lemlist")
    assert other.number != held.number
