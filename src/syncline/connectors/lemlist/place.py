"""Where one stands in a list that is read by offset while records come and go in it. Pure.

A record that comes pushes the rest towards later offsets, so that a page repeats some of the last; one that goes pulls
the rest towards earlier offsets, so that a page begins too late and hides some. So each page is asked for from a little
before the end of the last, and must begin before the last record that was read: then all that was there all the time
and was not read yet is in it or behind it. A page that begins too late is put aside, and an earlier one is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

import msgspec

PAGE = 100
_FIRST_STEP = 20
"""How far is gone back at first; each further step is twice as far. A lead that is removed takes some records along."""
_REMEMBERED = 2 * PAGE
_WIDE = PAGE // 2

Record = Mapping[str, Any]


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """The next page to ask for. As a cursor it outlives the process: names and meanings are only ever added."""

    offset: int = 0
    seen: tuple[str, ...] = ()
    """Ids of the last pages, which the next may repeat."""
    frontier: str | None = None
    """When the last record that was read was created, as the tool tells it; None where nobody noted it."""
    is_wide: bool = False
    """So many records share the moment of the frontier that a page cannot begin before all of them."""
    step: int = _FIRST_STEP

    def joins(self, rows: Sequence[Record], *, newest_first: bool) -> bool:
        """Whether nothing can be hidden between what was read and this page.

        Records of one moment come in no certain order, so the page has to begin before all that share the frontier's;
        where they are too many for that, with one that was read."""
        if self.offset == 0:
            return True
        if not rows:
            return False
        if is_before(rows[0], self.frontier, newest_first=newest_first):
            return True
        return self.is_wide and rows[0]["_id"] in self.seen

    def back(self) -> Place:
        return msgspec.structs.replace(self, offset=max(0, self.offset - self.step), step=2 * self.step)

    def after(self, rows: Sequence[Record], *, newest_first: bool) -> Place:
        """Of a page that joins and is not empty."""
        last = rows[-1]
        tied = sum(1 for _ in takewhile(lambda row: row.get("createdAt") == last.get("createdAt"), reversed(rows)))
        is_wide = tied >= _WIDE or moment(last.get("createdAt")) is None
        # A page that was gone back to may end before what was read long ago.
        is_behind = self.frontier is not None and is_before(last, self.frontier, newest_first=newest_first)
        return Place(
            offset=self.offset + len(rows) - (1 if is_wide else tied + 1),
            seen=(*self.seen, *(str(row["_id"]) for row in rows))[-_REMEMBERED:],
            frontier=self.frontier if is_behind else last.get("createdAt"),
            is_wide=self.is_wide if is_behind else is_wide,
        )


def resumed(cursor: str | None) -> Place:
    """Of a cursor, also of one from a version that noted the end of the last page and its ids only."""
    if cursor is None:
        return Place()
    place = msgspec.json.decode(cursor, type=Place)
    if place.frontier is None and not place.is_wide:
        return msgspec.structs.replace(place, offset=max(0, place.offset - 1), is_wide=True)
    return place


def is_before(row: Record, frontier: str | None, *, newest_first: bool) -> bool:
    """In the order of reading."""
    at, last = moment(row.get("createdAt")), moment(frontier)
    if at is None or last is None:
        return False
    return at > last if newest_first else at < last


def moment(told: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
