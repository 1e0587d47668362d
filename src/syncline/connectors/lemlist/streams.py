"""Reading lemlist. Activities come newest first by offset, in a list that grows at its head while it is read.

Nothing is lost by that: what is new pushes the rest towards later offsets, so that a page may repeat what the last one
had, and never skips. The stream leaves out what the page before had; its cursor holds the next offset and those ids.
When more than a page of new records comes between two pages, some are given twice: whoever stores them goes by key.
With a fixed upper bound of time the list does not move at all, unless something is recorded late.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from syncline.connectors.lemlist.client import LemlistClient
from syncline.kernel.clock import iso
from syncline.runtime.connect.connector import Stream

PAGE = 100

ACTIVITIES: Final = Stream(
    name="activities",
    kinds=("Activity",),
    key={"Activity": "_id"},
    cursor="createdAt, both bounds inclusive",
    paging="offset, newest first",
    cost="1 request a page of 100",
)
CAMPAIGNS: Final = Stream(
    name="campaigns",
    kinds=("Campaign",),
    key={"Campaign": "_id"},
    cursor="none: few enough to be read whole",
    paging="offset, oldest first",
    cost="1 request a page of 100",
)
STREAMS: Final = {stream.name: stream for stream in (ACTIVITIES, CAMPAIGNS)}


@dataclass(frozen=True, slots=True)
class Page:
    """Records as lemlist tells them; `cursor` reads on after them, None on the last page."""

    records: list[dict[str, Any]]
    cursor: str | None


class _Place(msgspec.Struct, frozen=True):
    offset: int = 0
    seen: tuple[str, ...] = ()
    """Ids of the last page, which the next may repeat."""


async def read_activities(
    client: LemlistClient,
    *,
    campaign: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str | None = None,
) -> AsyncIterator[Page]:
    """Of a campaign or of all, within both moments, each record once. Raises connector outcomes."""
    asked: dict[str, object] = {"version": "v2", "limit": PAGE}
    if campaign is not None:
        asked["campaignId"] = campaign
    if since is not None:
        asked["minDate"] = iso(since)
    if until is not None:
        asked["maxDate"] = iso(until)
    async for page in _pages(client, "activities", "/activities", asked, cursor):
        yield page


async def read_campaigns(client: LemlistClient, *, cursor: str | None = None) -> AsyncIterator[Page]:
    asked: dict[str, object] = {"version": "v2", "limit": PAGE, "sortBy": "createdAt", "sortOrder": "asc"}
    async for page in _pages(client, "campaigns", "/campaigns", asked, cursor):
        yield page


async def _pages(
    client: LemlistClient, operation: str, path: str, asked: dict[str, object], cursor: str | None
) -> AsyncIterator[Page]:
    place = _Place() if cursor is None else msgspec.json.decode(cursor, type=_Place)
    while True:
        rows = await client.list(operation, path, {**asked, "offset": place.offset})
        seen = frozenset(place.seen)
        place = _Place(place.offset + len(rows), tuple(str(row["_id"]) for row in rows))
        is_last = len(rows) < PAGE
        told = None if is_last else msgspec.json.encode(place).decode()
        yield Page([row for row in rows if row["_id"] not in seen], told)
        if is_last:
            return
