"""Reading lemlist. Activities come newest first by offset, in a list that grows at its head while it is read, and from
which records go when somebody removes a lead. Neither loses anything: see `place`. Of a stretch of time whose records
moved by more than two pages meanwhile, some are given twice: whoever stores them goes by key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from syncline.connectors.lemlist.client import LemlistClient
from syncline.connectors.lemlist.place import PAGE, resumed
from syncline.kernel.clock import iso
from syncline.runtime.connect.connector import Stream

ACTIVITIES: Final = Stream(
    name="activities",
    kinds=("Activity",),
    key={"Activity": "_id"},
    cursor="createdAt, both bounds inclusive",
    paging="offset, newest first; each page begins before the end of the last",
    cost="1 request for 98 records, and more where records are removed meanwhile",
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
    async for page in _pages(client, "activities", "/activities", asked, cursor, newest_first=True):
        yield page


async def read_campaigns(client: LemlistClient, *, cursor: str | None = None) -> AsyncIterator[Page]:
    asked: dict[str, object] = {"version": "v2", "limit": PAGE, "sortBy": "createdAt", "sortOrder": "asc"}
    async for page in _pages(client, "campaigns", "/campaigns", asked, cursor, newest_first=False):
        yield page


async def _pages(
    client: LemlistClient,
    operation: str,
    path: str,
    asked: dict[str, object],
    cursor: str | None,
    *,
    newest_first: bool,
) -> AsyncIterator[Page]:
    place = resumed(cursor)
    while True:
        rows = await client.list(operation, path, {**asked, "offset": place.offset})
        if not place.joins(rows, newest_first=newest_first):
            place = place.back()
            continue
        seen = frozenset(place.seen)
        fresh = [row for row in rows if row["_id"] not in seen]
        if len(rows) < PAGE:
            yield Page(fresh, None)
            return
        place = place.after(rows, newest_first=newest_first)
        yield Page(fresh, msgspec.json.encode(place).decode())
