"""Campaigns in which nothing happened are not read, and nothing that happened is missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.apps.outreach.conftest import Place

from syncline.apps.outreach.sync.looking import is_unmoved, worth_looking
from syncline.apps.outreach.sync.planning import Campaign, Mark
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import Platform, SyncMode, SyncRequest, SyncStatus
from syncline.kernel import clock
from syncline.sandbox.outreach.timelines import Kind

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
COUNTED = {"sent_count": 2_500, "open_count": 700}
SETTLED = Mark(NOW - timedelta(hours=1), 2_500, COUNTED, NOW - timedelta(hours=5), is_settled=True)
CAMPAIGN = Campaign(Platform.SMARTLEAD, "7", "North", "default")
DELTA = SyncRequest((Platform.SMARTLEAD,), SyncMode.DELTA)


@pytest.mark.parametrize(
    ("mark", "counters"),
    [
        (SETTLED, {**COUNTED, "open_count": 701}),
        (SETTLED, {**COUNTED, "new_count": 0}),
        (replace(SETTLED, is_settled=False), COUNTED),
        (replace(SETTLED, whole_at=NOW - DAY), COUNTED),
        (replace(SETTLED, whole_at=None), COUNTED),
        (replace(SETTLED, counters=None), COUNTED),
    ],
)
def test_what_moved_lately_or_was_not_read_for_a_day_is_read(mark: Mark, counters: dict[str, int]) -> None:
    assert not is_unmoved(mark, counters, now=NOW, whole_every=DAY)
    assert is_unmoved(SETTLED, COUNTED, now=NOW, whole_every=DAY)


@pytest.mark.parametrize(
    ("campaign", "mode", "mark"),
    [
        (CAMPAIGN, SyncMode.FULL, SETTLED),
        (CAMPAIGN, SyncMode.COMPARE, SETTLED),
        (CAMPAIGN, SyncMode.DELTA, replace(SETTLED, mails=999)),
        (CAMPAIGN, SyncMode.DELTA, replace(SETTLED, mails=None)),
        (replace(CAMPAIGN, namespace="renamed"), SyncMode.DELTA, SETTLED),
        (replace(CAMPAIGN, platform=Platform.LEMLIST), SyncMode.DELTA, SETTLED),
    ],
)
def test_nobody_looks_where_it_saves_nothing(campaign: Campaign, mode: SyncMode, mark: Mark) -> None:
    marks = {(CAMPAIGN.platform, CAMPAIGN.id, CAMPAIGN.namespace): mark}
    assert worth_looking(campaign, replace(DELTA, mode=mode), marks) is None
    assert worth_looking(CAMPAIGN, DELTA, marks | {(CAMPAIGN.platform, "7", "default"): SETTLED}) == SETTLED


@pytest.fixture
async def large(new_place: Callable[..., Any]) -> Place:
    """One campaign of three pages at Smartlead, read whole until it counts as settled."""
    place: Place = await new_place(events=9_000, campaigns=2)
    await place.sync(platforms="smartlead")
    for _ in range(2):
        await delta(place)
    return place


async def delta(place: Place) -> Run:
    run = await place.sync(platforms="smartlead", syncMode="delta_since_last")
    assert run.status is SyncStatus.COMPLETED, run.sentence
    return run


async def asked(place: Place) -> dict[str, int]:
    """How often a delta sync asks for pages and for counters."""
    before = place.town.smartlead.counters.by_route.copy()
    await delta(place)
    made = place.town.smartlead.counters.by_route - before
    return {
        name: sum(count for path, count in made.items() if path.endswith(name)) for name in ("statistics", "analytics")
    }


def opened(place: Place) -> None:
    """A mail of long ago, for the first time."""
    store = place.town.smartlead.store
    mail = next(one for one in store.mails(1, newest_first=False) if one.opens == 0)
    store.happen(Kind.OPENED, round(clock.now().timestamp() * 1000), mail=mail.id)


async def test_a_campaign_in_which_nothing_happened_costs_one_request(large: Place) -> None:
    assert await asked(large) == {"statistics": 0, "analytics": 1}
    assert await large.stored() == large.town.smartlead.store.counts()["first"]


async def test_a_late_open_is_found_at_once_and_the_campaign_read_once_more_after_it(large: Place) -> None:
    opened(large)
    assert await asked(large) == {"statistics": 3, "analytics": 1}
    assert await large.stored() == large.town.smartlead.store.counts()["first"]
    assert [await asked(large), await asked(large)] == [
        {"statistics": 3, "analytics": 1},
        {"statistics": 0, "analytics": 1},
    ]


async def test_what_counters_that_stand_still_hide_is_found_within_a_day(large: Place) -> None:
    large.town.smartlead.switches.analytics = "stuck"
    for _ in range(2):
        await delta(large)
    opened(large)
    assert (await delta(large)).counts.created == 0
    with clock.frozen(clock.now() + DAY):
        assert (await delta(large)).counts.created == 1


async def test_a_campaign_whose_counters_cannot_be_had_is_read(large: Place) -> None:
    large.town.smartlead.faults.add_all("html=1000@/analytics")
    opened(large)
    assert (await delta(large)).counts.created == 1


async def test_a_run_that_fails_leaves_what_moved_to_the_next(large: Place) -> None:
    opened(large)
    large.town.smartlead.faults.add_all("unauthorized=1@/statistics")
    failed = await large.sync(platforms="smartlead", syncMode="delta_since_last")
    assert failed.status is SyncStatus.FAILED
    assert (await delta(large)).counts.created == 1
