"""Whole runs against the doubles: every mode, the second run, cancelling, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.apps.outreach.conftest import UNTIL, Place

from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.namespaces import service as namespaces
from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.jobs import plan_sync
from syncline.apps.outreach.sync_contract import SyncAlreadyRunning, SyncMode, SyncRefused, SyncStatus
from syncline.kernel import clock
from syncline.runtime.jobs import JobContext
from syncline.sandbox.outreach.timelines import Kind


async def test_a_full_sync_stores_every_event_of_both_tools_once_and_tells_mixpanel_each_once(place: Place) -> None:
    run = await place.sync()
    assert run.status is SyncStatus.COMPLETED, run.sentence
    assert await place.stored() == place.at_source == run.counts.created
    assert place.at_mixpanel == {"raw": place.at_source, "distinct": place.at_source}
    assert run.progress.percentage == 100.0
    assert run.people > 0


async def test_a_second_full_sync_stores_and_delivers_nothing_new(place: Place) -> None:
    await place.sync()
    again = await place.sync()
    assert (again.counts.created, again.status) == (0, SyncStatus.COMPLETED)
    assert again.counts.read >= place.at_source
    assert place.at_mixpanel["raw"] == place.at_source


async def test_a_list_that_grows_at_its_head_while_it_is_read_loses_and_doubles_nothing(
    new_place: Callable[..., Any],
) -> None:
    place: Place = await new_place(events=1_200, campaigns=2)
    place.town.lemlist.switches.arrivals = 3
    place.town.lemlist.switches.ties = "shuffled"
    place.town.smartlead.switches.arrivals = 3
    await place.sync(dateRange={"chunkSize": 400})
    place.town.lemlist.switches.arrivals = place.town.smartlead.switches.arrivals = 0
    await place.sync(syncMode="delta_since_last")
    assert await place.stored() == place.at_source
    assert place.at_mixpanel == {"raw": place.at_source, "distinct": place.at_source}


async def test_a_delta_finds_an_open_and_a_reply_of_mails_sent_long_ago(place: Place) -> None:
    await place.sync()
    for double in (place.town.lemlist, place.town.smartlead):
        mail = next(iter(double.store.mails(1))).id
        for kind in (Kind.OPENED, Kind.REPLIED):
            double.store.happen(kind, round(clock.now().timestamp() * 1000), mail=mail)
    run = await place.sync(syncMode="delta_since_last")
    assert 2 <= run.counts.created <= 4  # at Smartlead a mail that was opened before shows no second open
    assert await place.stored() == place.at_source


async def test_a_delta_reads_only_the_overlap_at_lemlist(place: Place) -> None:
    await place.sync(platforms="lemlist")
    run = await place.sync(platforms="lemlist", syncMode="delta_since_last")
    assert run.counts.read < 20


async def test_one_day_is_a_range_and_both_of_its_ends_belong_to_it(place: Place) -> None:
    store = place.town.lemlist.store
    day = UNTIL - timedelta(days=40)
    edges = [day, day + timedelta(days=1) - timedelta(milliseconds=1)]
    outside = [day - timedelta(milliseconds=1), day + timedelta(days=1)]
    for moment in (*edges, *outside):
        store.happen(Kind.SENT, round(moment.timestamp() * 1000), campaign=1)
    told = day.date().isoformat()
    await place.sync(platforms="lemlist", syncMode="date_range", startDate=told, endDate=told)
    moments = {row[0] for row in await place.rows("SELECT occurred_at FROM outreach.event_source")}
    assert set(edges) <= moments
    assert not set(outside) & moments


async def test_a_range_holds_late_opens_of_mails_sent_before_it(place: Place) -> None:
    store = place.town.smartlead.store
    mail = next(one for one in store.mails(1, newest_first=False) if one.opens == 0)
    day = UNTIL - timedelta(days=3)
    store.happen(Kind.OPENED, round(day.timestamp() * 1000) + 5_000, mail=mail.id)
    told = day.date().isoformat()
    await place.sync(platforms="smartlead", syncMode="date_range", startDate=told, endDate=told)
    kinds = await place.rows("SELECT event_type FROM outreach.event_source WHERE occurred_at = %(at)s",
                             at=day + timedelta(seconds=5))  # fmt: skip
    assert kinds == [("email_opened",)]


async def test_what_is_not_tracked_waits_until_a_run_that_tracks(place: Place) -> None:
    await place.sync(enableMixpanelTracking=False)
    assert place.at_mixpanel["raw"] == 0
    await place.sync(syncMode="delta_since_last")
    assert place.at_mixpanel["raw"] == place.at_source


async def test_campaigns_go_to_the_namespace_of_their_keyword_and_a_run_of_one_reads_only_its_own(place: Place) -> None:
    name = place.town.lemlist.store.campaigns[1].name
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await namespaces.create(session, name="first", keywords=[name.upper()], description="", made_by="ann")
    await place.sync(namespaces="first")
    spaces = await place.rows("SELECT DISTINCT namespace, platform FROM outreach.event_source")
    assert spaces == [("first", "lemlist")]
    await place.sync()
    assert await place.stored() == place.at_source


async def test_a_namespace_that_is_not_there_is_made_and_its_run_ends_well_with_nothing(place: Place) -> None:
    run = await place.sync(namespaces="brand_new")
    assert (run.status, run.counts.read) == (SyncStatus.COMPLETED, 0)
    assert await place.rows("SELECT name FROM outreach.namespace") == [("brand_new",)]


async def test_a_namespace_that_is_syncing_is_refused_and_others_go_side_by_side(place: Place) -> None:
    first = await place.begin(namespaces="one")
    with pytest.raises(SyncAlreadyRunning) as refused:
        await place.begin(namespaces="two,one")
    assert refused.value.extra["jobId"] == str(first.id)
    await place.begin(namespaces="three")
    with pytest.raises(SyncAlreadyRunning):
        await place.begin()
    await place.work()
    again = await place.begin()
    assert again.status is SyncStatus.QUEUED


async def test_of_many_that_begin_one_namespace_at_the_same_time_one_does(place: Place) -> None:
    begun = await asyncio.gather(*(place.begin(namespaces="one") for _ in range(6)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in begun) == ["Run"] + ["SyncAlreadyRunning"] * 5


async def test_ten_namespaces_at_once_all_come_to_their_end(place: Place) -> None:
    runs = await asyncio.gather(*(place.begin(namespaces=f"load_test_{number}") for number in range(10)))
    await place.work()
    assert {(await place.look(run)).status for run in runs} == {SyncStatus.COMPLETED}


async def test_a_cancelled_run_stores_no_more_and_lets_its_namespace_go(place: Place) -> None:
    run = await place.begin()
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        cancelled = await service.cancel(session, place.queue, run.id)
    assert cancelled.status is SyncStatus.CANCELLED
    await place.work()
    assert await place.stored() == 0
    assert (await place.begin()).status is SyncStatus.QUEUED


async def test_a_wrong_key_ends_the_run_with_what_to_do(place: Place) -> None:
    place.town.lemlist.key = "another"
    run = await place.sync(platforms="lemlist")
    assert run.status is SyncStatus.FAILED
    assert "API key" in (run.sentence or "")


async def test_a_campaign_that_smartlead_does_not_know_any_more_is_left_out_and_said(place: Place) -> None:
    await place.begin(platforms="smartlead")
    planned = place.queue.waiting.pop(0)
    await plan_sync(JobContext(place.runtime, 1, 1, place.actor.tenant_id), planned.payload)
    removed = place.town.smartlead.store.campaigns.pop(1)
    await place.work()
    ((status, told),) = await place.rows("SELECT status, sentence FROM outreach.sync_run")
    assert status == SyncStatus.COMPLETED
    assert removed.name in told


async def test_a_burst_larger_than_what_a_long_while_would_bring_is_used_at_once(place: Place) -> None:
    run = await place.sync(rateLimitOverride={"requestsPerSecond": 0.1, "burstSize": 100}, parallelWorkers=1)
    assert (run.status, run.counts.created) == (SyncStatus.COMPLETED, place.at_source), run.sentence


async def test_a_tool_that_is_not_connected_is_refused_at_once(place: Place) -> None:
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await connections.remove(session, "smartlead")
    with pytest.raises(SyncRefused, match="smartlead is not connected"):
        await place.begin()


async def test_a_reset_takes_away_what_the_tools_have_no_more_and_delivers_nothing_twice(place: Place) -> None:
    await place.sync()
    delivered = place.at_mixpanel["raw"]
    await _plant(place)
    run = await place.sync(syncMode="namespace_reset")
    assert (run.status, run.removed, run.mode) == (SyncStatus.COMPLETED, 1, SyncMode.RESET)
    assert await place.stored() == place.at_source
    assert place.at_mixpanel["raw"] == delivered
    assert await place.rows("SELECT count(*) FROM outreach.staged_event") == [(0,)]


async def test_what_a_reset_takes_away_is_not_told_to_mixpanel_any_more(place: Place) -> None:
    await place.sync(enableMixpanelTracking=False)
    await _plant(place)
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await (await session.driver()).execute(
            "INSERT INTO outreach.receipt (tenant_id, event_key, namespace, event, distinct_id, at_ms, insert_id,"
            " state) SELECT tenant_id, 'planted', namespace, event, distinct_id, at_ms, 'planted', 'waiting'"
            " FROM outreach.receipt LIMIT 1"
        )
    await place.sync(syncMode="namespace_reset")
    assert place.at_mixpanel == {"raw": place.at_source, "distinct": place.at_source}


async def test_a_reset_counts_at_its_end_what_was_new(place: Place) -> None:
    first = await place.sync(syncMode="namespace_reset")
    assert first.counts.created == place.at_source == await place.stored()
    assert all(one.created for one in first.by_platform.values())
    again = await place.sync(syncMode="namespace_reset")
    assert (again.counts.created, again.known_before) == (0, again.counts.read)


async def test_a_campaign_that_comes_back_to_a_namespace_after_its_reset_is_read_from_its_beginning(
    place: Place,
) -> None:
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await namespaces.create(session, name="north", keywords=["north"], description="", made_by="ann")
    campaigns = place.town.lemlist.store.campaigns
    before = campaigns[1]
    await place.sync()
    campaigns[1] = replace(before, name="north")
    await place.sync(syncMode="namespace_reset")
    campaigns[1] = before
    await place.sync(syncMode="delta_since_last")
    ((left,),) = await place.rows("SELECT count(*) FROM outreach.event_source WHERE namespace <> 'north'")
    assert left == place.at_source


async def _plant(place: Place) -> None:
    """An event that no tool has."""
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await (await session.driver()).execute(
            "INSERT INTO outreach.event_source (tenant_id, event_key, platform, campaign_id, event_type, email,"
            " namespace, identity_hash, occurred_at, source, created_at) SELECT tenant_id, 'planted', platform,"
            " campaign_id, event_type, email, namespace, identity_hash, occurred_at, source, created_at"
            " FROM outreach.event_source LIMIT 1"
        )
