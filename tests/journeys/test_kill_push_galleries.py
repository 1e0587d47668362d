"""A worker is killed while it adds, takes away and reorders what products show: the shop has done each of them once."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from syncline.apps.commerce.contract import ChangeStatus, RunStatus, Store
from syncline.apps.commerce.push_contract import EngineConfig
from syncline.main.testing.comparison import differences
from syncline.main.testing.farm import Farm
from syncline.main.testing.shop import Moment, NewShop, Shop
from syncline.main.testing.works import Works

SMALL = EngineConfig(batch_size=2)
NEW = "https://files.example.com/new.jpg"
EDITS = {"AddMedia": f"images=+{NEW}", "DeleteMedia": "images=-2", "OrderMedia": "image_order=3,2"}
RECEIPTS = """
    select c.id, count(r.*), count(r.*) filter (where r.finished_at is null),
           count(r.*) filter (where r.outcome = 'applied')
    from commerce.staged_change c left join commerce.receipt r on r.change_id = c.id group by c.id
"""


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    """Every product shows three images of the same name."""
    made = await new_shop(products=20)
    for number in made.store.products:
        made.store.media.arrange(number, [])
        for place in range(3):
            made.store.media.add(
                number, content_type="IMAGE", url=f"https://cdn.example.com/{place}/new.jpg", alt=f"Place {place}"
            )
    return made


def shown(shop: Shop) -> list[list[str]]:
    """By product, the texts of what it shows; that of an image without one is its address."""
    media = shop.store.media
    return [[str(one.alt or one.url) for one in media.shown_by(number)] for number in shop.store.products]


WANTED = {
    "AddMedia": ["Place 0", "Place 1", "Place 2", NEW],
    "DeleteMedia": ["Place 0", "Place 2"],
    "OrderMedia": ["Place 2", "Place 1", "Place 0"],
}


@pytest.mark.process
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("operation", EDITS)
async def test_push_killed_at_a_call_does_everything_once(
    works: Works, shop: Shop, store: Store, farm: Farm, operation: str, moment: Moment
) -> None:
    await works.pull()
    await works.stage_approved("", EDITS[operation])
    run = await works.start_push(config=SMALL)
    worker, dead = await farm.start(), asyncio.Event()

    def die() -> None:
        farm.kill(worker)
        dead.set()

    shop.tripwire.set(die, operation, passing=3, moment=moment)
    await asyncio.wait_for(dead.wait(), 60)
    await farm.bury()
    await farm.start()
    done = await works.push_ends(run.id)
    assert (done.status, done.error, done.counts) == (RunStatus.COMPLETED, None, {ChangeStatus.APPLIED: run.total})
    assert shown(shop) == [WANTED[operation]] * len(shop.store.products)
    written = Counter(change["id"] for entry in await shop.ledger() for change in entry["changes"])
    assert len(written) == run.total
    assert {tuple(row[1:]) for row in await works.rows(RECEIPTS)} == {(1, 0, 1)}
    assert await differences(works, shop, store.id, without=["source_updated_at"]) == []
    await works.pull()
    assert await differences(works, shop, store.id) == []
