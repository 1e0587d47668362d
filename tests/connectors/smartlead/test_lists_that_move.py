"""In whatever order the rows come, and however it moves: what was there all the time is read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from syncline.connectors.smartlead.client import SmartleadClient, SmartleadConfig
from syncline.connectors.smartlead.streams import read_leads
from syncline.runtime.connect.testing import FAST_RETRY, fresh_registry


@dataclass
class MovingList:
    """Before each page one move, by its name, of the rows at some places; then it rests."""

    rows: list[int]
    moves: list[tuple[str, list[int]]]
    says: int = 0
    """How many more than there are it says there are."""
    removed: set[int] = field(default_factory=set)
    offsets: list[int] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name, places = self.moves.pop(0) if self.moves else ("rests", [])
        getattr(self, name)(places)
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        self.offsets.append(offset)
        data = [{"lead": {"id": one}} for one in self.rows[offset : offset + limit]]
        return httpx.Response(200, json={"total_leads": str(len(self.rows) + self.says), "data": data})

    def rests(self, places: list[int]) -> None:
        del places

    def come(self, places: list[int]) -> None:
        for number in places:
            self.rows.insert(number % (len(self.rows) + 1), 10_000 + len(self.offsets) * 1_000 + number)

    def go(self, places: list[int]) -> None:
        gone = {self.rows[place % len(self.rows)] for place in places}
        self.removed |= gone
        self.rows = [one for one in self.rows if one not in gone]

    def turn(self, places: list[int]) -> None:
        """Those go to the front."""
        turned = list(dict.fromkeys(self.rows[place % len(self.rows)] for place in places))
        self.rows = turned + [one for one in self.rows if one not in turned]


async def _read(vendor: MovingList, crashes: list[bool], cursor: str | None = None) -> list[int]:
    told, over = list[int](), False
    async with SmartleadClient(
        SmartleadConfig("k", plan="none"),
        transport=httpx.MockTransport(vendor),
        registry=fresh_registry(),
        retry=FAST_RETRY,
    ) as client:
        while not over:
            pages = read_leads(client, 1, cursor=cursor)
            async for page in pages:
                told += [one["lead"]["id"] for one in page.records]
                cursor, over = page.cursor, page.cursor is None
                if crashes and crashes.pop():
                    break
            await pages.aclose()  # type: ignore[attr-defined]
    return told


_MOVE: Any = st.tuples(st.sampled_from(["come", "go", "turn", "rests"]), st.lists(st.integers(0, 900), max_size=40))


@settings(max_examples=120, deadline=None)
@given(
    count=st.integers(41, 460),
    moves=st.lists(_MOVE, max_size=4),
    crashes=st.lists(st.booleans(), max_size=8),
)
def test_what_was_there_all_the_time_is_read(
    count: int, moves: list[tuple[str, list[int]]], crashes: list[bool]
) -> None:
    vendor = MovingList(list(range(count)), list(moves))
    read = asyncio.run(_read(vendor, list(crashes)))
    assert set(range(count)) - vendor.removed <= set(read)


def test_a_list_that_rests_is_read_once() -> None:
    vendor = MovingList(list(range(250)), [])
    assert asyncio.run(_read(vendor, [])) == list(range(250))
    assert vendor.offsets == [0, 100, 200]


def test_one_that_moved_to_the_front_costs_one_page_more() -> None:
    vendor = MovingList(list(range(250)), [("rests", []), ("turn", [240])])
    assert set(asyncio.run(_read(vendor, []))) == set(range(250))
    assert vendor.offsets == [0, 100, 200, 0]


def test_a_number_that_is_too_large_costs_one_pass_and_is_said() -> None:
    vendor = MovingList(list(range(250)), [], says=3)
    with capture_logs() as logs:
        assert asyncio.run(_read(vendor, [])) == list(range(250))
    assert vendor.offsets == [0, 100, 200, 0, 100, 200]
    assert [(one["says"], one["has"]) for one in logs if "says" in one] == [(253, 250)]


def test_a_cursor_of_the_version_before_loses_nothing() -> None:
    """It held the end of the last page and its keys."""
    vendor = MovingList(list(range(250)), [])
    seen = ",".join(f'"{one}"' for one in range(100, 200))
    read = asyncio.run(_read(vendor, [], f'{{"offset":200,"seen":[{seen}]}}'))
    assert set(range(200, 250)) <= set(read)
