"""A chunk's pages as happenings: what the two tools' streams have in common for whoever stores them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from syncline.apps.outreach.connections import opening
from syncline.apps.outreach.happenings.activities import Happening, Unusable, from_lemlist, from_smartlead
from syncline.apps.outreach.sync.planning import EDGE
from syncline.apps.outreach.sync_contract import Platform
from syncline.connectors.lemlist.client import LemlistClient
from syncline.connectors.lemlist.streams import read_activities
from syncline.connectors.smartlead.client import SmartleadClient
from syncline.connectors.smartlead.streams import read_statistics
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime


@dataclass(frozen=True, slots=True)
class Read:
    """`records` counts what the tool told, `unusable` what no event can be made of. `cursor` reads on after it; None:
    that was the last."""

    happenings: list[Happening]
    records: int
    unusable: int
    cursor: str | None
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What of a campaign is read, and from where on."""

    campaign: str
    name: str
    since: datetime | None
    until: datetime
    cursor: str | None


class Reader(Protocol):
    def pages(self, place: Place) -> AsyncGenerator[Read, None]:
        """Raises connector outcomes."""
        ...


@dataclass(frozen=True, slots=True)
class LemlistReader:
    client: LemlistClient

    async def pages(self, place: Place) -> AsyncGenerator[Read, None]:
        found = read_activities(
            self.client, campaign=place.campaign, since=place.since, until=place.until, cursor=place.cursor
        )
        async for page in found:
            happenings, unusable = _usable(page.records, lambda record: iter((from_lemlist(record),)))
            yield Read(happenings, len(page.records), unusable, page.cursor)


@dataclass(frozen=True, slots=True)
class SmartleadReader:
    client: SmartleadClient

    async def pages(self, place: Place) -> AsyncGenerator[Read, None]:
        # Whether a bound itself is inside is not documented; a millisecond to either side, nothing is missed.
        found = read_statistics(
            self.client,
            int(place.campaign),
            sent_after=None if place.since is None else place.since - EDGE,
            sent_before=place.until + EDGE,
            cursor=place.cursor,
        )
        async for page in found:
            happenings, unusable = _usable(page.records, lambda row: from_smartlead(row, place.campaign, place.name))
            yield Read(happenings, len(page.records), unusable, page.cursor, page.total)


def _usable(records: Iterable[dict[str, Any]], made: Any) -> tuple[list[Happening], int]:
    happenings, unusable = list[Happening](), 0
    for record in records:
        told: Iterator[Happening]
        try:
            told = made(record)
            happenings.extend(told)
        except Unusable:
            unusable += 1
    return happenings, unusable


@asynccontextmanager
async def reader_of(runtime: Runtime, tenant_id: TenantId, platform: Platform) -> AsyncIterator[Reader]:
    """Raises `ConnectionNotFound`."""
    if platform is Platform.LEMLIST:
        async with opening.lemlist(runtime, tenant_id) as lemlist:
            yield LemlistReader(lemlist)
        return
    async with opening.smartlead(runtime, tenant_id) as smartlead:
        yield SmartleadReader(smartlead)
