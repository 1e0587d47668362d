"""Planning: stretches without gaps, what is read of each tool in each mode."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.outreach.sync.planning import EDGE, Campaign, Mark, plan, stretches
from syncline.apps.outreach.sync_contract import Platform, SyncMode, SyncRequest

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
BOTH = tuple(Platform)
LEMLIST = Campaign(Platform.LEMLIST, "cam_1", "North", "default", NOW - 200 * DAY)
SMARTLEAD = Campaign(Platform.SMARTLEAD, "7", "North", "default", NOW - 200 * DAY)
MARKS = {(one.platform, one.id, "default"): Mark(NOW - DAY) for one in (LEMLIST, SMARTLEAD)}


@given(st.integers(0, 2_000), st.integers(1, 10**9), st.integers(1, 400))
def test_stretches_meet_without_gap_or_overlap(ago: int, seconds: int, days: int) -> None:
    since, until = NOW - ago * DAY, NOW - ago * DAY + timedelta(seconds=seconds)
    found = list(stretches(since, until, timedelta(days=days)))
    assert found[0][0] == since
    assert found[-1][1] >= until
    assert all(later[0] - earlier[1] == EDGE for earlier, later in itertools.pairwise(found))
    assert all(start < end for start, end in found)


def test_a_full_sync_is_open_below_and_takes_both_tools_in_turn() -> None:
    chunks = plan([LEMLIST, SMARTLEAD], SyncRequest(BOTH, SyncMode.FULL), now=NOW, marks=MARKS, overlap=DAY)
    assert [one.campaign.platform for one in chunks[:3]] == [Platform.LEMLIST, Platform.SMARTLEAD, Platform.LEMLIST]
    assert [one.since for one in chunks[:2]] == [None, None]
    assert chunks[-1].until == NOW


@pytest.mark.parametrize(("campaign", "since"), [(LEMLIST, NOW - 2 * DAY), (SMARTLEAD, None)])
def test_a_delta_reaches_back_by_the_overlap_at_lemlist_and_reads_smartlead_whole(
    campaign: Campaign, since: datetime | None
) -> None:
    (chunk,) = plan([campaign], SyncRequest(BOTH, SyncMode.DELTA), now=NOW, marks=MARKS, overlap=DAY)
    assert (chunk.since, chunk.until) == (since, NOW)


def test_a_campaign_that_was_read_for_another_namespace_is_read_from_its_beginning() -> None:
    moved = Campaign(Platform.LEMLIST, "cam_1", "North", "north", LEMLIST.opened)
    chunks = plan([moved], SyncRequest(BOTH, SyncMode.DELTA), now=NOW, marks=MARKS, overlap=DAY)
    assert chunks[0].since is None


def test_years_before_a_campaign_are_one_stretch() -> None:
    request = SyncRequest(BOTH, SyncMode.RANGE, since=datetime(1, 1, 1, tzinfo=UTC), until=NOW, chunk_days=1)
    chunks = plan([LEMLIST], request, now=NOW, marks={}, overlap=DAY)
    assert LEMLIST.opened is not None
    assert len(chunks) <= (NOW - LEMLIST.opened).days + 1
    assert chunks[0].since == request.since
    assert chunks[-1].until >= NOW
    assert all(later.since == earlier.until + EDGE for earlier, later in itertools.pairwise(chunks))


def test_a_campaign_that_began_after_the_range_is_left_out() -> None:
    request = SyncRequest(BOTH, SyncMode.RANGE, since=NOW - 300 * DAY, until=NOW - 201 * DAY)
    assert plan([LEMLIST, SMARTLEAD], request, now=NOW, marks={}, overlap=DAY) == []
