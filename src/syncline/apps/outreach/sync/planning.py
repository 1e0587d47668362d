"""What a run reads: platform x campaign x stretch of time. Pure.

lemlist filters by the time of the event, Smartlead by the time of *sending*, and shows each mail's present state.
So a late open is found at lemlist in the stretch when it happened, and at Smartlead by reading the old mail again:
every mode but a full sync by stretches reads Smartlead's campaigns from their beginning, and `keeps` leaves out what
happened outside of the range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from syncline.apps.outreach.sync_contract import Platform, SyncMode, SyncRequest

EDGE = timedelta(milliseconds=1)
"""Both tools tell times in milliseconds; the next stretch begins one after the end of the last."""

DEFAULT_DAYS: Mapping[Platform, int] = {Platform.LEMLIST: 90, Platform.SMARTLEAD: 3_660}
"""Days in a chunk. At lemlist (100 records a page) a stretch of 90 days costs 4 half-empty pages a year; Smartlead has
1,000 mails a page, so that most campaigns are three pages and are not cut."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """`opened` None: not told, so it may have begun whenever."""

    platform: Platform
    id: str
    name: str
    namespace: str
    opened: datetime | None = None
    counters: Mapping[str, int] | None = None
    """What the tool counted before this run reads anything; None where nobody looked."""
    is_unmoved: bool = False
    """Nothing can have happened since it was read last: its chunks are done before they are begun."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Both ends inclusive. `since` None: from the beginning."""

    campaign: Campaign
    since: datetime | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """Until when a campaign was read for a namespace by the last run that came to its end.

    `mails` is how many records it had, and `counters` what the tool counted, before it was last read whole, at
    `whole_at`; `is_settled` says that they were the same the time before."""

    until: datetime
    mails: int | None = None
    counters: Mapping[str, int] | None = None
    whole_at: datetime | None = None
    is_settled: bool = False


Marks = Mapping[tuple[Platform, str, str], Mark]


def plan(
    campaigns: Sequence[Campaign], request: SyncRequest, *, now: datetime, marks: Marks, overlap: timedelta
) -> list[Chunk]:
    """In the order of working: both tools in turn, so that the limits of the one are waited out with the other."""
    each = [
        [
            chunk
            for campaign in campaigns
            if campaign.platform is platform
            for chunk in _of(campaign, request, now=now, marks=marks, overlap=overlap)
        ]
        for platform in request.platforms
    ]
    return [chunk for turn in zip_longest(*each) for chunk in turn if chunk is not None]


def keeps(request: SyncRequest, at: datetime) -> bool:
    """Whether something that happened then belongs to what was asked for."""
    return (request.since is None or at >= request.since) and (request.until is None or at <= request.until)


def _of(
    campaign: Campaign, request: SyncRequest, *, now: datetime, marks: Marks, overlap: timedelta
) -> Iterator[Chunk]:
    until = min(now, request.until or now)
    if campaign.opened is not None and campaign.opened > until:
        return  # it did not exist yet
    since = _begin(campaign, request, marks, overlap)
    days = request.chunk_days or DEFAULT_DAYS[campaign.platform]
    begins = since if campaign.opened is None else max(since or campaign.opened, campaign.opened)
    for number, (begin, end) in enumerate(stretches(begins, until, timedelta(days=days))):
        # The first stretch reaches down to what was asked for: what was brought in from elsewhere may be older than its
        # campaign, and years before it are one stretch and not thousands.
        yield Chunk(campaign, begin if number else since, end)


def _begin(campaign: Campaign, request: SyncRequest, marks: Marks, overlap: timedelta) -> datetime | None:
    """None: from the beginning."""
    if campaign.platform is Platform.SMARTLEAD:
        return None
    if request.mode is SyncMode.DELTA:
        mark = marks.get((campaign.platform, campaign.id, campaign.namespace))
        return None if mark is None else mark.until - overlap
    return request.since


def stretches(since: datetime | None, until: datetime, length: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Without a gap and without meeting: each begins a millisecond after the end of the last."""
    begin = until - length if since is None else since
    while begin + length <= until:
        yield begin, begin + length - EDGE
        begin += length
    # lemlist refuses a stretch of no length.
    yield begin, max(until, begin + EDGE)
