"""Whatever comes and goes between two pages: what was there all the time is read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from syncline.connectors.lemlist.client import LemlistClient, LemlistConfig
from syncline.connectors.lemlist.streams import Page, read_activities
from syncline.runtime.connect.testing import FAST_RETRY, fresh_registry


@dataclass
class MovingList:
    """Newest first. Before each page a move: so many come at the head, and those at some places go."""

    rows: list[dict[str, Any]]
    moves: list[tuple[int, list[int]]]
    shuffles: bool
    removed: set[str] = field(default_factory=set)
    requests: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        come, places = self.moves.pop(0) if self.moves else (0, [])
        for place in places:
            if self.rows:
                self.removed.add(self.rows.pop(place % len(self.rows))["_id"])
        newest = 10_000 + self.requests * 1_000
        self.rows[:0] = [_row(f"new{newest + number}", newest + number) for number in range(come, 0, -1)]
        self.requests += 1
        random = Random(self.requests)
        shown = sorted(self.rows, key=lambda row: (row["createdAt"], random.random()), reverse=True)
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        return httpx.Response(200, json=(shown if self.shuffles else self.rows)[offset : offset + limit])


def _row(identity: str, moment: int) -> dict[str, Any]:
    return {
        "_id": identity,
        "createdAt": f"2026-01-01T{moment // 3600:02}:{moment // 60 % 60:02}:{moment % 60:02}.000Z",
    }


async def _read(vendor: MovingList, crashes: list[bool]) -> list[str]:
    """With `crashes` the stream is left after a page, and another begins at its cursor."""
    config = LemlistConfig("k", is_paced=False)
    told, cursor, over = list[str](), None, False
    async with LemlistClient(
        config, transport=httpx.MockTransport(vendor), registry=fresh_registry(), retry=FAST_RETRY
    ) as client:
        while not over:
            pages = read_activities(client, cursor=cursor)
            page: Page
            async for page in pages:
                told += [str(one["_id"]) for one in page.records]
                cursor, over = page.cursor, page.cursor is None
                if crashes and crashes.pop():
                    break
            await pages.aclose()  # type: ignore[attr-defined]
    return told


_MOVES = st.lists(st.tuples(st.integers(0, 130), st.lists(st.integers(0, 600), max_size=150)), max_size=12)


@settings(max_examples=120, deadline=None)
@given(
    ties=st.lists(st.integers(1, 20), max_size=60),
    moves=_MOVES,
    shuffles=st.booleans(),
    crashes=st.lists(st.booleans(), max_size=10),
)
def test_what_was_there_all_the_time_is_read(
    ties: list[int], moves: list[tuple[int, list[int]]], shuffles: bool, crashes: list[bool]
) -> None:
    moments = [len(ties) - at for at, tied in enumerate(ties) for _ in range(tied)]
    rows = [_row(f"old{number}", moment) for number, moment in enumerate(moments)]
    vendor = MovingList(list(rows), moves, shuffles)
    read = asyncio.run(_read(vendor, crashes))
    assert {row["_id"] for row in rows} - vendor.removed <= set(read)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 450), moves=_MOVES)
def test_so_many_of_one_moment_that_a_page_holds_no_other(count: int, moves: list[tuple[int, list[int]]]) -> None:
    rows = [_row(f"old{number}", 7) for number in range(count)]
    vendor = MovingList(list(rows), moves, shuffles=False)
    read = asyncio.run(_read(vendor, []))
    assert {row["_id"] for row in rows} - vendor.removed <= set(read)


@settings(max_examples=40, deadline=None)
@given(places=st.lists(st.integers(0, 600), max_size=40), read_before=st.integers(1, 4))
def test_a_cursor_of_the_version_before_loses_nothing_either(places: list[int], read_before: int) -> None:
    """It held the end of the last page and its ids."""
    rows = [_row(f"old{number}", 600 - number) for number in range(560)]
    end = read_before * 100
    seen = ",".join(f'"{row["_id"]}"' for row in rows[end - 100 : end])
    vendor = MovingList(list(rows), [(0, places)], shuffles=False)
    read = asyncio.run(_read_from(vendor, f'{{"offset":{end},"seen":[{seen}]}}'))
    assert {row["_id"] for row in rows[end:]} - vendor.removed <= set(read)


async def _read_from(vendor: MovingList, cursor: str) -> list[str]:
    config = LemlistConfig("k", is_paced=False)
    async with LemlistClient(
        config, transport=httpx.MockTransport(vendor), registry=fresh_registry(), retry=FAST_RETRY
    ) as client:
        return [str(one["_id"]) async for page in read_activities(client, cursor=cursor) for one in page.records]


def test_a_still_list_costs_two_records_a_page_and_gives_each_once() -> None:
    rows = [_row(f"old{number}", 9_800 - number) for number in range(9_800)]
    vendor = MovingList(list(rows), [], shuffles=False)
    read = asyncio.run(_read(vendor, []))
    assert read == [row["_id"] for row in rows]
    assert vendor.requests == 100
