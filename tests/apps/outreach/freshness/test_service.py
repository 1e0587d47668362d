"""Told once when it begins, once when it is over, and to nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from tests.apps.outreach.conftest import Place

from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.freshness.jobs import WATCH_JOB, tick, watch
from syncline.apps.outreach.sync.schedules import start_mixpanel
from syncline.apps.outreach.watching import service as watching
from syncline.apps.outreach.watching.lag import Widest
from syncline.apps.outreach.watching.service import MIXPANEL, PERIODIC
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.jobs import JobContext
from syncline.runtime.observe.metrics import Gauge

HOURS_4 = timedelta(hours=4)


async def look(place: Place) -> None:
    await watch(JobContext(place.runtime, 1, 1, place.actor.tenant_id), {})


async def told(place: Place, tenant: TenantId | None = None) -> list[tuple[str, str]]:
    """Of the tenant, in order: what was announced."""
    query = text(
        "SELECT name, data->>'name', data->>'sentence' FROM bus.outbox WHERE tenant = :t"
        " AND name LIKE 'outreach.routine%' ORDER BY position"
    )
    async with place.runtime.database.system() as session:
        rows = (await session.execute(query, {"t": tenant or place.actor.tenant_id})).all()
    return [(row[0].rpartition(".")[2], row[1]) for row in rows]


async def test_an_hourly_sync_without_a_good_end_is_told_once_and_its_recovery_once(place: Place) -> None:
    await look(place)
    assert await told(place) == []
    with clock.frozen(clock.now() + HOURS_4):
        for _ in range(3):
            await look(place)
    assert await told(place) == [("routine_went_stale", PERIODIC)]
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await watching.begin(session, PERIODIC)
        await watching.end(session, PERIODIC, sentence=None)
    for _ in range(2):
        await look(place)
    assert await told(place) == [("routine_went_stale", PERIODIC), ("routine_recovered", PERIODIC)]
    with clock.frozen(clock.now() + HOURS_4):
        await look(place)
    assert [one[0] for one in await told(place)] == ["routine_went_stale", "routine_recovered", "routine_went_stale"]


async def test_why_the_last_one_failed_is_said(place: Place) -> None:
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await watching.begin(session, PERIODIC)
        await watching.end(session, PERIODIC, sentence="lemlist does not accept this API key.")
    with clock.frozen(clock.now() + HOURS_4):
        await look(place)
    async with place.runtime.database.system() as session:
        query = text("SELECT data->>'sentence' FROM bus.outbox WHERE tenant = :t")
        sentence = (await session.execute(query, {"t": place.actor.tenant_id})).scalar_one()
    assert "for 4 hours" in sentence
    assert "does not accept this API key" in sentence


async def test_events_that_wait_for_mixpanel_too_long_are_told_and_their_delivery_too(place: Place) -> None:
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await connections.remove(session, "mixpanel")
    await place.sync(platforms="lemlist")
    await place.connect("mixpanel")
    await look(place)
    assert await told(place) == []
    with clock.frozen(clock.now() + timedelta(minutes=61)):
        await look(place)
        await look(place)
    assert await told(place) == [("routine_went_stale", MIXPANEL)]
    await start_mixpanel(JobContext(place.runtime, 1, 1, place.actor.tenant_id), {})
    await place.work()
    await look(place)
    assert await told(place) == [("routine_went_stale", MIXPANEL), ("routine_recovered", MIXPANEL)]


@pytest.mark.parametrize(("minutes", "announced"), [(14, []), (16, [("routine_went_stale", MIXPANEL)])])
async def test_a_delivery_that_fails_for_a_while_is_told(
    place: Place, minutes: int, announced: list[tuple[str, str]]
) -> None:
    await watching.note(place.runtime, place.actor.tenant_id, MIXPANEL, sentence=None)
    with clock.frozen(clock.now() + timedelta(minutes=minutes)):
        await watching.note(place.runtime, place.actor.tenant_id, MIXPANEL, sentence="Mixpanel is away.")
        await look(place)
    assert await told(place) == announced


async def test_what_is_switched_off_is_not_stale_and_an_alert_of_it_ends(place: Place) -> None:
    with clock.frozen(clock.now() + HOURS_4):
        await look(place)
        async with place.runtime.database.writing(place.actor.tenant_id) as session:
            await watching.set_enabled(session, PERIODIC, enabled=False)
        await look(place)
        await look(place)
    assert await told(place) == [("routine_went_stale", PERIODIC), ("routine_recovered", PERIODIC)]


async def test_another_tenant_is_told_nothing(place: Place, other_tenant_id: TenantId) -> None:
    with clock.frozen(clock.now() + HOURS_4):
        await look(place)
        await watch(JobContext(place.runtime, 1, 1, other_tenant_id), {})
    assert await told(place, other_tenant_id) == []


async def test_a_tenant_is_looked_at_by_a_job_of_its_own(place: Place) -> None:
    for _ in range(2):
        await tick(JobContext(place.runtime, 1, 1, None), {})
    mine = [one for one in place.queue.waiting if one.tenant == place.actor.tenant_id]
    assert [one.job for one in mine] == [WATCH_JOB]


def test_the_gauge_is_of_the_tenant_furthest_behind_and_forgets_who_is_looked_at_elsewhere() -> None:
    registry = CollectorRegistry()
    lag = Widest(Gauge("lag", "Of all.", registry=registry))
    first, second = TenantId(new_id()), TenantId(new_id())
    start = clock.now()
    with clock.frozen(start):
        lag.note(first, timedelta(seconds=90))
        lag.note(second, timedelta(seconds=5))
    assert registry.get_sample_value("lag") == 90
    with clock.frozen(start + timedelta(minutes=13)):
        lag.note(second, timedelta(seconds=7))
    assert registry.get_sample_value("lag") == 7
