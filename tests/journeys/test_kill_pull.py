"""A worker process is killed at ten random points of a pull; whoever comes next goes on where it stood."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest

from syncline.apps.commerce.contract import PullPath, PullRun, RunStatus, Store
from syncline.main.testing.comparison import differences, in_shop
from syncline.main.testing.farm import Farm
from syncline.main.testing.shop import Shop
from syncline.main.testing.works import Works, eventually

KILLS = 10
LINES = "select coalesce(sum(read), 0) from commerce.pull_stream where run_id = %(run)s"


@pytest.fixture
async def shop(new_shop) -> AsyncIterator[Shop]:
    return await new_shop(products=800)


def kill_points(seed: int, total: int) -> list[int]:
    """How many lines are stored when the next worker dies; printed, so that a failure can be repeated."""
    points = sorted(random.Random(seed).sample(range(int(total * 0.9)), KILLS))
    print(f"seed {seed}: killed at {points} of {total} lines")
    return points


async def lines_stored(works: Works, run: PullRun) -> int:
    ((lines,),) = await works.rows(LINES, run=run.id)
    return int(lines)


async def is_live(works: Works, run: PullRun) -> bool:
    return not (await works.get_pull(run.id)).status.is_final


@pytest.mark.process
@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("path", PullPath)
async def test_pull_killed_ten_times_ends_by_itself_and_doubles_nothing(
    works: Works, shop: Shop, store: Store, farm: Farm, path: PullPath, seed: int
) -> None:
    there = await in_shop(shop)
    total = sum(map(len, there.values()))
    run = await works.start_pull(path=path)
    for point in kill_points(seed, total):
        worker = await farm.start()
        await eventually(lambda: lines_stored(works, run), lambda lines, point=point: lines >= point)
        farm.kill(worker)
        assert await is_live(works, run)
        await farm.bury()
    await farm.start()
    done = await works.pull_ends(run.id)
    print([stream for stream in done.streams], await works.rows("select epoch from commerce.pull_stream"))
    assert (done.status, done.error) == (RunStatus.COMPLETED, None)
    assert len(farm.killed) == KILLS
    assert sum(stream.read for stream in done.streams) == total
    assert sum(stream.inserted for stream in done.streams) == total
    assert {stream.path for stream in done.streams} == {path}
    assert await differences(works, shop, store.id) == []
    assert (await works.reconcile("content")).agreed
