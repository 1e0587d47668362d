"""Parts by time of creation: disjoint, complete, small enough."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from syncline.apps.commerce.pull.slices import Slice, dump, load, split

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Made:
    """A store's records by the moment they were made, counted as a search would count them."""

    def __init__(self, moments: list[datetime]) -> None:
        self.moments = sorted(moments)
        self.asked = 0

    def inside(self, one: Slice) -> list[datetime]:
        return [at for at in self.moments if (not one.begins or at >= one.begins) and (not one.ends or at < one.ends)]

    async def count(self, search: str | None) -> int:
        self.asked += 1
        terms = dict(term.removeprefix("created_at:").split("'", 1) for term in (search or "").split(" ") if term)
        bounds = {sign: datetime.fromisoformat(text.rstrip("'")) for sign, text in terms.items()}
        return len(self.inside(Slice(bounds.get(">="), bounds.get("<"))))


def made(count: int, *, seed: int = 1, days: int = 700) -> Made:
    draw = random.Random(seed)
    return Made([NOW - timedelta(seconds=draw.randrange(days * 86_400)) for _ in range(count)])


@pytest.mark.parametrize("seed", range(5))
async def test_every_record_is_in_one_part_and_no_part_is_too_large(seed: int) -> None:
    store = made(2_000, seed=seed)
    parts = await split(Slice(), most=300, now=NOW, count=store.count)
    found = [moment for part in parts for moment in store.inside(part)]
    assert sorted(found) == store.moments
    assert max(len(store.inside(part)) for part in parts) <= 300
    assert len(parts) < 2 * 2_000 / 300 + 1


async def test_the_ends_are_open_for_what_is_made_meanwhile() -> None:
    parts = await split(Slice(), most=100, now=NOW, count=made(500).count)
    assert (parts[0].begins, parts[-1].ends) == (None, None)
    assert [one.ends for one in parts[:-1]] == [one.begins for one in parts[1:]]


async def test_what_is_small_enough_stays_whole() -> None:
    store = made(80)
    assert await split(Slice(), most=100, now=NOW, count=store.count) == [Slice()]
    assert store.asked == 1


async def test_a_store_that_does_not_count_exactly_is_not_parted() -> None:
    async def unknown(_search: str | None) -> None:
        return None

    assert await split(Slice(), most=1, now=NOW, count=unknown) == [Slice()]


async def test_records_made_within_one_hour_are_not_parted_for_ever() -> None:
    store = Made([NOW - timedelta(days=3)] * 400)
    parts = await split(Slice(), most=10, now=NOW, count=store.count)
    assert sum(len(store.inside(part)) for part in parts) == 400
    assert store.asked < 60


async def test_a_part_is_parted_within_its_own_bounds() -> None:
    store = made(1_000)
    whole = Slice(NOW - timedelta(days=400), NOW - timedelta(days=100))
    parts = await split(whole, most=100, now=NOW, count=store.count)
    assert (parts[0].begins, parts[-1].ends) == (whole.begins, whole.ends)
    assert sorted(at for part in parts for at in store.inside(part)) == store.inside(whole)


def test_slices_are_kept_as_they_are() -> None:
    slices = [Slice(ends=NOW), Slice(NOW, None, "gid://shopify/BulkOperation/1", 7, is_done=True)]
    assert load(dump(slices)) == slices
