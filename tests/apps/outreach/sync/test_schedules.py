"""What runs by itself: ticks of all tenants, and what is then said of how both jobs fare."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.apps.outreach.conftest import Call, Place

from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.sync.schedules import MIXPANEL_JOB, PERIODIC_JOB, tick_mixpanel, tick_periodic
from syncline.apps.outreach.sync_contract import SyncRefused
from syncline.apps.outreach.watching import service as watching
from syncline.apps.outreach.watching.service import MIXPANEL, PERIODIC
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.jobs import JobContext


async def tick(place: Place, job: Any = tick_periodic) -> list[tuple[str, TenantId | None]]:
    """What it enqueued for the two tenants of the test: others may be connected in the same database."""
    await job(JobContext(place.runtime, 1, 1, None), {})
    return [(one.job, one.tenant) for one in place.queue.waiting]


async def connect(place: Place, tenant: TenantId, *platforms: str) -> None:
    async with place.runtime.database.writing(tenant) as session:
        for platform in platforms:
            values = {"facts": {}, "sealed": b"x", "created_by": "bob", "created_at": clock.now()}
            await connections.put(session, platform, values)


async def status(call: Call, name: str = PERIODIC) -> dict[str, Any]:
    told: dict[str, Any] = (await call("GET", "/api/jobs/status")).json()["jobs"][name]
    return told


async def test_each_connected_tenant_gets_a_job_of_its_own_and_one_without_a_tool_none(
    place: Place, other_tenant_id: TenantId
) -> None:
    await connect(place, other_tenant_id, "attio")
    mine = place.actor.tenant_id
    waiting = await tick(place)
    assert (PERIODIC_JOB, mine) in waiting
    assert (PERIODIC_JOB, other_tenant_id) not in waiting
    await connect(place, other_tenant_id, "smartlead")
    waiting = await tick(place)
    assert waiting.count((PERIODIC_JOB, mine)) == waiting.count((PERIODIC_JOB, other_tenant_id)) == 1
    assert (MIXPANEL_JOB, other_tenant_id) not in await tick(place, tick_mixpanel)
    assert (MIXPANEL_JOB, mine) in await tick(place, tick_mixpanel)


async def test_a_second_tick_while_the_first_job_waits_adds_nothing(place: Place) -> None:
    before = await tick(place)
    assert await tick(place) == before


async def run_mine(place: Place) -> None:
    place.queue.waiting = [one for one in place.queue.waiting if one.tenant == place.actor.tenant_id]
    await place.work()


async def test_the_hour_reads_what_is_new_and_says_how_it_was(place: Place, call: Call) -> None:
    assert (await status(call))["last_run"] is None
    await tick(place)
    await run_mine(place)
    assert await place.stored() == place.at_source == place.at_mixpanel["raw"]
    told = await status(call)
    assert (told["status"], told["sentence"]) == ("healthy", None)
    assert told["last_run"] < clock.iso(clock.now()) < told["next_run"]
    assert (await status(call, MIXPANEL))["status"] == "healthy"


async def test_an_hour_that_fails_is_failing_until_one_ends_well(place: Place, call: Call) -> None:
    right, place.town.lemlist.key = place.town.lemlist.key, "another"
    await tick(place)
    await run_mine(place)
    told = await status(call)
    assert told["status"] == "failing"
    assert "API key" in told["sentence"]
    place.town.lemlist.key = right
    await tick(place)
    await run_mine(place)
    assert (await status(call))["status"] == "healthy"


async def test_a_failed_run_by_hand_says_nothing_of_the_hourly_one(place: Place, call: Call) -> None:
    place.town.lemlist.key = "another"
    await place.sync(platforms="lemlist")
    assert (await status(call))["status"] == "healthy"


async def test_what_is_switched_off_does_not_run(place: Place, call: Call) -> None:
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await watching.set_enabled(session, PERIODIC, enabled=False)
        await watching.set_enabled(session, MIXPANEL, enabled=False)
    await tick(place)
    await tick(place, tick_mixpanel)
    await run_mine(place)
    assert await place.stored() == 0
    told = await status(call)
    assert (told["status"], told["next_run"], told["last_run"]) == ("disabled", None, None)


async def test_another_run_that_goes_on_is_waited_for(place: Place, call: Call) -> None:
    await place.begin(namespaces="one")
    held, place.queue.waiting = place.queue.waiting, []
    await tick(place)
    await run_mine(place)
    assert await place.rows("SELECT count(*) FROM outreach.sync_run") == [(1,)]
    assert (await status(call))["last_run"] is None
    place.queue.waiting = held
    await place.work()
    await tick(place)
    await run_mine(place)
    assert await place.stored() == place.at_source


async def test_a_tool_that_is_taken_away_between_tick_and_job_is_not_read(place: Place) -> None:
    await tick(place)
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        for platform in ("lemlist", "smartlead"):
            await connections.remove(session, platform)
    with pytest.raises(SyncRefused, match="Neither lemlist nor Smartlead"):
        await run_mine(place)


async def test_an_hour_that_never_ends_well_is_late(place: Place, call: Call) -> None:
    await tick(place)
    await run_mine(place)
    with clock.frozen(clock.now() + timedelta(hours=3)):
        told = await status(call)
    assert told["status"] == "late"
    assert told["lag_seconds"] > 3 * 3600 - 60


async def test_another_tenant_sees_its_own_jobs_only(place: Place, call: Call) -> None:
    await tick(place)
    await run_mine(place)
    told = (await call("GET", "/api/jobs/status", tenant="other")).json()["jobs"]
    assert {one["last_run"] for one in told.values()} == {None}


async def test_what_mixpanel_refuses_is_failing(place: Place, call: Call) -> None:
    place.town.mixpanel.faults.add_all("unauthorized")
    await tick(place)
    with pytest.raises(Exception, match="Mixpanel"):
        await run_mine(place)
    assert (await status(call, MIXPANEL))["status"] == "failing"
