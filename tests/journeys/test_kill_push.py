"""A worker process is killed at ten random points of a push: lost requests, applied ones nobody heard the answer of,
and whatever else was in the air. Every approved change reaches the shop once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from syncline.apps.commerce.contract import ChangeBatch, ChangeStatus, RunStatus, Store
from syncline.apps.commerce.push_contract import EngineConfig
from syncline.main.testing.comparison import differences
from syncline.main.testing.farm import Farm
from syncline.main.testing.shop import Moment, NewShop, Shop
from syncline.main.testing.works import Works

KILLS = 10
REQUESTS = 50
"""At least: of 70 products, two a request, and their stock in requests of its own."""
WRITES = ("UpdateProduct", "UpdateVariants", "SetInventory")
LEDGER_NAMES = {"product": "Product", "variant": "ProductVariant", "inventory_level": "InventoryLevel"}
CHANGES = """
    select kind, resource_id, location_id, after from commerce.staged_change where status = 'applied'
"""
RECEIPTS = """
    select c.id, count(r.*), count(r.*) filter (where r.finished_at is null),
           count(r.*) filter (where r.outcome = 'applied')
    from commerce.staged_change c left join commerce.receipt r on r.change_id = c.id group by c.id
"""


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    return await new_shop(products=70)


async def stage_all(works: Works) -> Sequence[ChangeBatch]:
    """Changes of products, variants and stock, mixed: about three requests a product."""
    batches = [
        await works.stage("", "tags=+syncline", "vendor=Acme Kill"),
        await works.stage("", "price=+10%~.99", "barcode=none"),
        await works.stage("", 'inventory=+7@"Main warehouse"'),
    ]
    await works.approve(*batches)
    return batches


def kill_points(seed: int, total: int) -> list[tuple[int, Moment]]:
    """How many writes pass since the last death, and where the next one is caught; printed, to be repeated."""
    draw = random.Random(seed)
    points = [(draw.randrange(total // KILLS), draw.choice(list(Moment))) for _ in range(KILLS)]
    print(f"seed {seed}: killed at {points} of {total} writes")  # noqa: T201 - shown with a failure
    return points


async def expected_writes(works: Works) -> Counter[str]:
    """One application of every field of every change, as the shop's ledger names them."""
    names: Counter[str] = Counter()
    for kind, resource, location, after in await works.rows(CHANGES):
        where = f"{resource}@{location}" if location else str(resource)
        names.update(f"{LEDGER_NAMES[kind]}/{where} {name}" for name in after)
    return names


@pytest.mark.process
@pytest.mark.parametrize("seed", [1])
async def test_push_killed_ten_times_writes_every_change_once(
    works: Works, shop: Shop, store: Store, farm: Farm, seed: int
) -> None:
    await works.pull()
    await stage_all(works)
    run = await works.start_push(config=EngineConfig(batch_size=2))
    for passing, moment in kill_points(seed, REQUESTS):
        worker, dead = await farm.start(), asyncio.Event()

        def die(worker: int = worker, dead: asyncio.Event = dead) -> None:
            farm.kill(worker)
            dead.set()

        shop.tripwire.set(die, *WRITES, passing=passing, moment=moment)
        await asyncio.wait_for(dead.wait(), 60)
        assert not (await works.get_push(run.id)).status.is_final
        await farm.bury()
    await farm.start()
    done = await works.push_ends(run.id)
    assert (done.status, done.error) == (RunStatus.COMPLETED, None)
    assert done.counts == {ChangeStatus.APPLIED: run.total}
    assert len(farm.killed) == KILLS
    assert await shop.writes() == await expected_writes(works)
    assert {tuple(row[1:]) for row in await works.rows(RECEIPTS)} == {(1, 0, 1)}
    assert await differences(works, shop, store.id, without=["source_updated_at"]) == []
    assert (await works.reconcile("content")).agreed
    await works.pull()
    assert await differences(works, shop, store.id) == []
