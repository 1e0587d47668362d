"""A stream too large for one bulk operation comes in parts, whatever happens between them."""

from __future__ import annotations

import asyncio

import pytest

from syncline.apps.commerce.contract import PullMode, PullPath, PullRun, RunStatus, Store
from syncline.connectors.shopify import pages
from syncline.connectors.shopify.sources import SOURCES
from syncline.main.testing.comparison import count_in_shop, differences
from syncline.main.testing.farm import Farm
from syncline.main.testing.shop import Moment, NewShop, Shop
from syncline.main.testing.works import Works

SLICES = "select stream, jsonb_array_length(slices) from commerce.pull_stream where run_id = %(run)s"


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """One operation may bring 300 records: the model begins at 10 s and 1,000 records a second."""
    monkeypatch.setenv("SYNCLINE_COMMERCE_BULK_SLICE", "PT10.3S")


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    return await new_shop(products=300)


async def parts(works: Works, run: PullRun) -> dict[str, int]:
    return dict(await works.rows(SLICES, run=run.id))


async def assert_whole(works: Works, shop: Shop, store: Store, run: PullRun) -> None:
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert {stream.path for stream in run.streams if not SOURCES[stream.stream].is_paged_only} == {"bulk"}
    assert await differences(works, shop, store.id) == []
    assert run.reconciliation is not None
    assert (run.reconciliation.agreed, run.reconciliation.repaired) == (True, 0)


@pytest.mark.usefixtures("_small")
async def test_large_stream_comes_in_parts_and_each_record_once(works: Works, shop: Shop, store: Store) -> None:
    run = await works.pull(PullMode.FULL, path=PullPath.BULK)
    await assert_whole(works, shop, store, run)
    assert sum(stream.read for stream in run.streams) == sum((await count_in_shop(shop)).values())
    cut = await parts(works, run)
    assert cut["products"] > 3
    assert cut["inventory"] == 1
    assert "in " in str(next(stream.reason for stream in run.streams if stream.stream == "products"))


@pytest.mark.usefixtures("_small")
async def test_full_pull_in_parts_finds_what_is_gone(works: Works, shop: Shop, store: Store) -> None:
    await works.pull(PullMode.FULL, path=PullPath.BULK)
    for number in list(shop.store.products)[::7]:
        await shop.edit("delete", "product", number)
    run = await works.pull(PullMode.FULL, path=PullPath.BULK)
    await assert_whole(works, shop, store, run)
    assert {stream.stream: stream.deleted for stream in run.streams}["products"] > 43


async def test_operation_that_is_too_large_for_shopify_is_asked_for_in_parts(new_shop: NewShop, works: Works) -> None:
    shop = await new_shop(products=1_200, variants_per_product=2, faults="bulk_too_large=2500", more={"orders": 0})
    store = await works.connect(shop)
    run = await works.pull(PullMode.FULL, path=PullPath.BULK, streams=["products"])
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert await differences(works, shop, store.id, kinds=["product", "variant"]) == []
    assert (await parts(works, run))["products"] >= 2
    assert "begun again in" in str(run.streams[0].reason)


async def test_more_levels_than_shopify_pages_through_are_pulled_and_compared(
    new_shop: NewShop, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_RANGE", 250)
    shop = await new_shop(products=200, variants_per_product=2, more={"orders": 0}, pagination_limit=500)
    store = await works.connect(shop)
    run = await works.pull(PullMode.FULL, path=PullPath.PAGED)
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert await differences(works, shop, store.id, kinds=["location", "inventory_level"]) == []
    assert (await works.reconcile("content")).agreed


async def test_levels_of_a_large_store_are_planned_by_its_variants(new_shop: NewShop, works: Works) -> None:
    shop = await new_shop(products=200, variants_per_product=3, more={"orders": 0})
    await works.connect(shop)
    run = await works.pull(PullMode.FULL, streams=["inventory"])
    assert f"{2 * len(shop.store.variants) + 2:,} records" in str(run.streams[0].reason)


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("faults", ["bulk_truncate=2", "bulk_expire_url=1", "bulk_fail=1", "bulk_duplicate_lines"])
async def test_what_is_spoiled_of_one_part_is_asked_for_again(
    works: Works, shop: Shop, store: Store, faults: str
) -> None:
    await shop.fault(faults)
    run = await works.pull(PullMode.FULL, path=PullPath.BULK, streams=["products", "orders"])
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert await differences(works, shop, store.id, kinds=["product", "variant", "order", "refund"]) == []


@pytest.mark.usefixtures("_small")
@pytest.mark.process
@pytest.mark.parametrize("passing", [2, 5])
async def test_worker_killed_between_two_parts_goes_on_with_the_next(
    works: Works, shop: Shop, store: Store, farm: Farm, passing: int
) -> None:
    run = await works.start_pull(PullMode.FULL, path=PullPath.BULK)
    worker, dead = await farm.start(), asyncio.Event()

    def die() -> None:
        farm.kill(worker)
        dead.set()

    shop.tripwire.set(die, "BulkStart", passing=passing, moment=Moment.ANSWERING)
    await asyncio.wait_for(dead.wait(), 60)
    await farm.bury()
    await farm.start()
    done = await works.pull_ends(run.id)
    await assert_whole(works, shop, store, done)
    assert sum(stream.inserted for stream in done.streams) == sum((await count_in_shop(shop)).values())
