"""Reading Mixpanel back: the raw export, day by day. Nothing in it is ever deduplicated, so that it shows what was sent
twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any, Final, TypeVar

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
T = TypeVar("T")
Mark = tuple[str, str, int, str]
"""What Mixpanel's reports know a record by: event, distinct_id, time in milliseconds, $insert_id."""


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
        records = await _export(client, day, day, events, _records)
        yield Day(day, records, None if following > last else following.isoformat())
        day = following


async def count_marks(
    client: MixpanelClient, first: date, last: date, marks: Iterable[Mark], *, events: Sequence[str] = ()
) -> dict[Mark, int]:
    """How often the export of these days, both inclusive, has each of the marks; in one of the 60 queries an hour, so
    for ranges that are known to hold little. Of the other records nothing is kept. Raises connector outcomes."""

    def count(response: httpx.Response) -> dict[Mark, int]:
        counts = dict.fromkeys(marks, 0)
        for line in _lines(response):
            mark = _DECODER.decode(line).mark()
            if mark in counts:
                counts[mark] += 1
        return counts

    return await _export(client, first, last, events, count)


class _Properties(msgspec.Struct):
    distinct_id: Any = ""
    time: Any = 0
    insert_id: Any = msgspec.field(name="$insert_id", default="")


class _Record(msgspec.Struct):
    """Anybody's: others may have sent numbers where ours are texts."""

    properties: _Properties
    event: Any = ""

    def mark(self) -> Mark:
        told = self.properties
        return str(self.event), str(told.distinct_id), int(told.time), str(told.insert_id)


_DECODER: Final = msgspec.json.Decoder(_Record)


def _records(response: httpx.Response) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in _lines(response)]


def _lines(response: httpx.Response) -> Iterator[bytes]:
    """One at a time: a day may have a hundred thousand."""
    return (line for line in BytesIO(response.content) if not line.isspace())


async def _export(
    client: MixpanelClient, first: date, last: date, events: Sequence[str], read: Callable[[httpx.Response], T]
) -> T:
    def whole(response: httpx.Response) -> T:
        try:
            return read(response)
        except (msgspec.DecodeError, ValueError, TypeError) as error:
            raise ERRORS.outcome(UNREADABLE, detail=str(error)) from error

    asked: dict[str, object] = {"from_date": first.isoformat(), "to_date": last.isoformat(), "time_in_ms": "true"}
    if events:
        asked["event"] = msgspec.json.encode(events).decode()
    return await client.export.send("export", "/export", whole, query=asked)
