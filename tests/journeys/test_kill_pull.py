"""A worker process is killed at ten random points of a pull, and at the delicate ones; whoever comes next goes on where
it stood."""

from __future__ import annotations

import asyncio
import random

import pytest

from syncline.apps.commerce.contract import PullPath, PullRun, RunStatus, Store
from syncline.connectors.shopify.sources import SOURCES
from syncline.main.testing.comparison import count_in_shop, differences
from syncline.main.testing.farm import Farm
from syncline.main.testing.shop import Moment, NewShop, Shop
from syncline.main.testing.works import Works, eventually

KILLS = 10
LINES = "select coalesce(sum(read), 0) from commerce.pull_stream where run_id = %(run)s"


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    return await new_shop(products=450)


def kill_points(seed: int, total: int) -> list[int]:
    """How many lines are stored when the next worker dies; printed, so that a failure can be repeated."""
    points = sorted(random.Random(seed).sample(range(int(total * 0.9)), KILLS))
    print(f"seed {seed}: killed at {points} of {total} lines")  # noqa: T201 - shown with a failure
    return points


async def stored(works: Works, run: PullRun, lines: int) -> None:
    """Returns when the run has stored that many lines."""
    await eventually(lambda: works.rows(LINES, run=run.id), lambda rows: rows[0][0] >= lines)


async def assert_read_once(works: Works, shop: Shop, store: Store, run: PullRun) -> None:
    total = sum((await count_in_shop(shop)).values())
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert sum(stream.read for stream in run.streams) == total
    assert sum(stream.inserted for stream in run.streams) == total
    assert await differences(works, shop, store.id) == []


@pytest.mark.process
@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("path", PullPath)
async def test_pull_killed_ten_times_ends_by_itself_and_doubles_nothing(
    works: Works, shop: Shop, store: Store, farm: Farm, path: PullPath, seed: int
) -> None:
    total = sum((await count_in_shop(shop)).values())
    run = await works.start_pull(path=path)
    for point in kill_points(seed, total):
        worker = await farm.start()
        await stored(works, run, point)
        farm.kill(worker)
        assert not (await works.get_pull(run.id)).status.is_final
        await farm.bury()
    await farm.start()
    done = await works.pull_ends(run.id)
    assert len(farm.killed) == KILLS
    free = [stream for stream in done.streams if not SOURCES[stream.stream].is_paged_only]
    assert {stream.path for stream in free} == {path}
    await assert_read_once(works, shop, store, done)
    assert (await works.reconcile("content")).agreed


DELICATE = {
    "planning": (PullPath.BULK, "ProductsCounts", 0, Moment.ANSWERING),
    "starting the export": (PullPath.BULK, "BulkStart", 0, Moment.ARRIVING),
    "hearing that it started": (PullPath.BULK, "BulkStart", 0, Moment.ANSWERING),
    "waiting for the export": (PullPath.BULK, "BulkFind", 1, Moment.ANSWERING),
    "reading a page": (PullPath.PAGED, "ProductsPage", 2, Moment.ANSWERING),
    "comparing": (PullPath.PAGED, "ProductsCounts", 1, Moment.ARRIVING),
}


@pytest.mark.process
@pytest.mark.parametrize(("path", "operation", "passing", "moment"), DELICATE.values(), ids=DELICATE)
async def test_pull_killed_at_a_delicate_point_doubles_nothing(
    works: Works,
    new_shop: NewShop,
    farm: Farm,
    path: PullPath,
    operation: str,
    passing: int,
    moment: Moment,
) -> None:
    shop = await new_shop(products=600, variants_per_product=1)
    store = await works.connect(shop)
    run = await works.start_pull(path=path)
    worker, dead = await farm.start(), asyncio.Event()

    def die() -> None:
        farm.kill(worker)
        dead.set()

    shop.tripwire.set(die, operation, passing=passing, moment=moment)
    await asyncio.wait_for(dead.wait(), 60)
    assert not (await works.get_pull(run.id)).status.is_final
    await farm.bury()
    await farm.start()
    await assert_read_once(works, shop, store, await works.pull_ends(run.id))
