"""Reading Mixpanel back: the raw export, day by day. Nothing in it is ever deduplicated, so that it shows what was sent
twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import httpx
import msgspec

from syncline.connectors.mixpanel.client import MixpanelClient
from syncline.connectors.mixpanel.errors import ERRORS, UNREADABLE
from syncline.runtime.connect.connector import Stream

EVENTS: Final = Stream(
    name="events",
    kinds=("Event",),
    key={"Event": "properties.$insert_id"},
    cursor="the day of the event's time, in UTC",
    paging="by day",
    cost="1 of 60 queries an hour a day",
)
STREAMS: Final = {EVENTS.name: EVENTS}


@dataclass(frozen=True, slots=True)
class Day:
    """Records of a day as they were ingested, times in milliseconds; `cursor` reads on after it, None on the last."""

    day: date
    records: list[dict[str, Any]]
    cursor: str | None


async def read_days(
    client: MixpanelClient, first: date, last: date, *, events: Sequence[str] = (), cursor: str | None = None
) -> AsyncIterator[Day]:
    """Both days inclusive; of these events, or of all. Raises connector outcomes."""
    day = first if cursor is None else date.fromisoformat(cursor)
    while day <= last:
        following = day + timedelta(days=1)
        yield Day(
            day, await read_range(client, day, day, events=events), None if following > last else following.isoformat()
        )
        day = following


async def read_range(
    client: MixpanelClient, first: date, last: date, *, events: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Both days inclusive, in one of the 60 queries an hour: for ranges that are known to hold little. Raises connector
    outcomes."""
    asked: dict[str, object] = {"from_date": first.isoformat(), "to_date": last.isoformat(), "time_in_ms": "true"}
    if events:
        asked["event"] = msgspec.json.encode(events).decode()
    return await client.export.send("export", "/export", _lines, query=asked)


def _lines(response: httpx.Response) -> list[dict[str, Any]]:
    try:
        return [msgspec.json.decode(line) for line in response.content.splitlines() if line]
    except msgspec.DecodeError as error:
        raise ERRORS.outcome(UNREADABLE, detail=str(error)) from error
