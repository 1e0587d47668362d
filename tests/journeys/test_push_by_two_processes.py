"""Two worker processes push to the same store at once, and one of them is killed: every change is made once."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from syncline.apps.commerce.contract import ChangeStatus, RunStatus, Store
from syncline.apps.commerce.push_contract import MOST_WORKERS, EngineConfig
from syncline.main.testing.comparison import differences
from syncline.main.testing.farm import Farm
from syncline.main.testing.shop import Moment, NewShop, Shop
from syncline.main.testing.works import Works, eventually

SMALL = EngineConfig(batch_size=1, max_workers=MOST_WORKERS)
"""So many workers may take part in all that the leading process has not had time to make them itself."""
SLOW = "slow=100000:0.5s"
"""Every answer takes a moment, so that there is time for both."""
WRITES = ("UpdateProduct", "UpdateVariants", "SetInventory")
AT_WORK = """
    select process, sum(done)::int from commerce.push_worker where run_id = %(run)s group by process
    having sum(done) > 0
"""
STILL_OPEN = "select count(*) from commerce.push_unit where run_id = %(run)s and state = 'open'"
CHANGES = """
    select kind, resource_id, location_id, after from commerce.staged_change where status = 'applied'
"""
LEDGER_NAMES = {"product": "Product", "variant": "ProductVariant", "inventory_level": "InventoryLevel"}
RECEIPTS = """
    select c.id, count(r.*), count(r.*) filter (where r.finished_at is null),
           count(r.*) filter (where r.outcome = 'applied')
    from commerce.staged_change c left join commerce.receipt r on r.change_id = c.id group by c.id
"""


@pytest.fixture(autouse=True)
def _help_is_called_for_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_COMMERCE_PUSH_HELP_FROM", "1")


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    return await new_shop(products=150)


async def expected_writes(works: Works) -> Counter[str]:
    """One application of every field of every change, as the shop's ledger names them."""
    names: Counter[str] = Counter()
    for kind, resource, location, after in await works.rows(CHANGES):
        where = f"{resource}@{location}" if location else str(resource)
        names.update(f"{LEDGER_NAMES[kind]}/{where} {name}" for name in after)
    return names


@pytest.mark.process
@pytest.mark.parametrize(("victim", "moment"), [("leader", Moment.ANSWERING), ("helper", Moment.ARRIVING)])
async def test_one_of_two_is_killed_and_the_other_ends_what_both_began(
    works: Works, shop: Shop, store: Store, farm: Farm, victim: str, moment: Moment
) -> None:
    await works.pull()
    batches = [
        await works.stage("", "tags=+syncline", "vendor=Acme Two"),
        await works.stage("", "price=+10%~.99"),
        await works.stage("", 'inventory=+7@"Main warehouse"'),
    ]
    await works.approve(*batches)
    await shop.fault(SLOW)
    leader = await farm.start()
    run = await works.start_push(config=SMALL)
    await eventually(lambda: works.rows(AT_WORK, run=run.id), bool)
    workers = {"leader": leader, "helper": await farm.start()}
    both = await eventually(lambda: works.rows(AT_WORK, run=run.id), lambda rows: len(rows) == 2)
    assert {int(process.rpartition(":")[2]) for process, _ in both} == set(workers.values())
    dead = asyncio.Event()

    def die() -> None:
        farm.kill(workers[victim])
        dead.set()

    shop.tripwire.set(die, *WRITES, moment=moment)
    await asyncio.wait_for(dead.wait(), 60)
    assert (await works.rows(STILL_OPEN, run=run.id))[0][0] > 0
    await shop.heal()
    done = await works.push_ends(run.id, seconds=120)
    assert (done.status, done.error) == (RunStatus.COMPLETED, None)
    assert done.counts == {ChangeStatus.APPLIED: run.total}
    assert len(farm.killed) == 1
    assert await shop.writes() == await expected_writes(works)
    assert {tuple(row[1:]) for row in await works.rows(RECEIPTS)} == {(1, 0, 1)}
    assert await differences(works, shop, store.id, without=["source_updated_at"]) == []
    await works.pull()
    assert await differences(works, shop, store.id) == []
