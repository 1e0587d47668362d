"""Whether a list that is read by offset, in an order that nobody promises, was read whole. Pure.

Each page says how many records there are. At the end of the list as many different ones must have been seen; where some
are missing, the order moved between two pages, and the list is read again until they are there. Records that go pull
the number down: what was seen before proves nothing then, and counting begins anew.

What this cannot see: between the same two pages one record goes, another comes and a third is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b

import msgspec

MOST_PASSES = 6
"""After these the list is given up for now."""
_MARK_BYTES = 6
"""Of a digest of each key: two of 100,000 are alike once in 50,000 lists, which costs a pass and no record."""


class Verdict(Enum):
    GOES_ON = "there are more pages"
    WHOLE = "everything was seen"
    DISAGREES = "a whole pass brought nothing new, and the number is another all the same"


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """It outlives the process: names and meanings are only ever added."""

    offset: int = 0
    seen: tuple[str, ...] = ()
    """Keys of the last page, in cursors of the version before this: earlier pages are then read once more."""
    known: bytes = b""
    total: int | None = None
    passes: int = 0
    new: int = 0


@dataclass(slots=True)
class Tally:
    """`passes` that have come to the list's end or were broken off; `new` is what the present one brought."""

    offset: int = 0
    known: set[bytes] = field(default_factory=set)
    total: int | None = None
    passes: int = 0
    new: int = 0

    @classmethod
    def resumed(cls, cursor: str | None) -> Tally:
        if cursor is None:
            return cls()
        told = msgspec.json.decode(cursor, type=Cursor)
        marks = {told.known[at : at + _MARK_BYTES] for at in range(0, len(told.known), _MARK_BYTES)}
        # Whoever gave up after so many passes begins with as many.
        passes = told.passes % MOST_PASSES
        return cls(told.offset, marks | {mark_of(key) for key in told.seen}, told.total, passes, told.new)

    def cursor(self) -> str:
        told = Cursor(
            offset=self.offset, known=b"".join(self.known), total=self.total, passes=self.passes, new=self.new
        )
        return msgspec.json.encode(told).decode()

    def shrank(self, total: int) -> bool:
        """Whether records went since the last page. Then all is read from the beginning again."""
        has_shrunk = self.total is not None and total < self.total
        self.total = total
        if has_shrunk:
            self.known.clear()
            self._begin()
        return has_shrunk

    def add(self, keys: Iterable[str]) -> list[bool]:
        """Which of a page's records were not seen before."""
        fresh = list[bool]()
        for key in keys:
            mark = mark_of(key)
            fresh.append(mark not in self.known)
            self.known.add(mark)
        self.offset += len(fresh)
        self.new += sum(fresh)
        return fresh

    def judge(self, *, is_end: bool) -> Verdict:
        """Of the page that was added; begins another pass where one is needed."""
        is_whole = len(self.known) >= (self.total or 0)
        if is_whole and (is_end or self.passes):
            return Verdict.WHOLE
        if not is_end:
            return Verdict.GOES_ON
        if self.passes and not self.new:
            return Verdict.DISAGREES
        self._begin()
        return Verdict.GOES_ON

    def _begin(self) -> None:
        self.offset, self.new = 0, 0
        self.passes += 1


def mark_of(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=_MARK_BYTES).digest()
