"""Parts of a stream by the day its records were made: small enough for one bulk operation each, and never in two."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from syncline.connectors.shopify.sources import search_time

Count = Callable[[str | None], Awaitable[int | None]]
"""How many of the stream's own records a search finds; None when Shopify does not say exactly."""

# No store is older than Shopify.
_FIRST: Final = datetime(2006, 1, 1, tzinfo=UTC)
_SHORTEST: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Slice:
    """`begins` (inclusive) and `ends` (exclusive) are times of creation; None where the slice is open. A record's time
    of creation never moves, so it stays in its slice however often it is edited while the slices are read."""

    begins: datetime | None = None
    ends: datetime | None = None
    operation_id: str | None = None
    expected: int | None = None
    is_done: bool = False

    @property
    def search(self) -> str | None:
        terms = []
        if self.begins is not None:
            terms.append(f"created_at:>='{search_time(self.begins)}'")
        if self.ends is not None:
            terms.append(f"created_at:<'{search_time(self.ends)}'")
        return " ".join(terms) or None

    def again(self) -> Slice:
        """The same part, to be read anew."""
        return replace(self, operation_id=None, expected=None, is_done=False)


def dump(slices: Sequence[Slice]) -> list[dict[str, Any]]:
    return [{**asdict(one), "begins": _text(one.begins), "ends": _text(one.ends)} for one in slices]


def load(rows: Sequence[Mapping[str, Any]]) -> list[Slice]:
    return [Slice(**{**row, "begins": _moment(row["begins"]), "ends": _moment(row["ends"])}) for row in rows]


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


async def split(whole: Slice, *, most: int, now: datetime, count: Count) -> list[Slice]:
    """`whole` in parts of at most `most` records each, by halving its time until every part is small enough; what was
    made within one hour is not parted. One part, `whole` itself, where the store does not count exactly."""
    found = await count(whole.search)
    if found is None or found <= most:
        return [whole]
    halves = await _halve(whole.begins or _FIRST, whole.ends or now, found, most, count)
    parts = _joined(halves, most)
    inner = [begins for begins, _, _ in parts[1:]]
    return [Slice(begins, ends) for begins, ends in zip([whole.begins, *inner], [*inner, whole.ends], strict=True)]


_Part = tuple[datetime, datetime, int]


async def _halve(begins: datetime, ends: datetime, found: int, most: int, count: Count) -> list[_Part]:
    if found <= most or ends - begins <= _SHORTEST:
        return [(begins, ends, found)]
    middle = (begins + (ends - begins) / 2).replace(microsecond=0)
    early = await count(Slice(begins, middle).search) or 0
    return [
        *await _halve(begins, middle, early, most, count),
        *await _halve(middle, ends, max(0, found - early), most, count),
    ]


def _joined(parts: Sequence[_Part], most: int) -> list[_Part]:
    """Neighbours that fit into one part together."""
    joined: list[_Part] = []
    for begins, ends, found in parts:
        if joined and joined[-1][2] + found <= most:
            joined[-1] = (joined[-1][0], ends, joined[-1][2] + found)
        else:
            joined.append((begins, ends, found))
    return joined
