"""A shop that is edited while it is read: ten edits a second by its merchant, with products and variants made and
deleted. The next incremental pull brings the mirror level with it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from operator import eq
from typing import LiteralString

import pytest

from syncline.apps.commerce.contract import PullMode, PullPath, PullRun, RunStatus, Store
from syncline.main.testing.comparison import differences
from syncline.main.testing.shop import NewShop, Shop
from syncline.main.testing.works import Works, eventually

PAUSE_SECONDS = 0.1
CUSTOMERS = "select count(*) from commerce.customer where deleted_at is null"
ORDERS = "select count(*) from commerce.shop_order where deleted_at is null"


class Merchant:
    """Makes one random edit after another; the same seed makes the same ones of the same shop."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.draw = random.Random(seed)
        self.edits = 0
        self.kinds = [self.retitle, self.reprice, self.restock, self.create, self.delete, self.add_variant]
        self.kinds += [self.delete_variant, self.retag, self.order, self.note_order, self.refund, self.cancel]
        self.kinds += [self.delete_order, self.move_customer, self.delete_customer, self.collect, self.uncollect]
        self.kinds += [self.describe, self.show, self.caption, self.hide]

    async def edit(self) -> None:
        await self.draw.choice(self.kinds)()
        self.edits += 1

    async def edit_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.edit()
            await asyncio.sleep(PAUSE_SECONDS)

    def product(self) -> int:
        return self.draw.choice(list(self.shop.store.products))

    async def retitle(self) -> None:
        await self.shop.edit("update", "product", self.product(), set={"title": f"Title {self.edits}"})

    async def retag(self) -> None:
        await self.shop.edit("update", "product", self.product(), set={"tags": [f"tag-{self.edits}", "Été"]})

    async def reprice(self) -> None:
        variant = self.draw.choice(list(self.shop.store.variants))
        await self.shop.edit("update", "variant", variant, set={"price": f"{self.draw.randrange(1, 900)}.50"})

    async def restock(self) -> None:
        item, place = self.draw.choice(list(self.shop.store.levels))
        await self.shop.edit("update", "level", item=item, location=place, set={"available": self.draw.randrange(500)})

    async def create(self) -> None:
        place = self.draw.choice(list(self.shop.store.locations))
        variant = {"price": "9.00", "sku": f"NEW-{self.edits}", "quantities": {str(place): 4}}
        await self.shop.edit("create", "product", set={"title": f"New {self.edits}", "variants": [variant]})

    async def delete(self) -> None:
        await self.shop.edit("delete", "product", self.product())

    async def add_variant(self) -> None:
        chosen = self.shop.store.products[self.product()]
        values = [f"Value {self.edits}"] * len(chosen.options)
        await self.shop.edit("create", "variant", chosen.id, set={"option_values": values, "price": "3.00"})

    async def delete_variant(self) -> None:
        several = [p for p in self.shop.store.products.values() if len(p.variant_ids) > 1]
        await self.shop.edit("delete", "variant", self.draw.choice(self.draw.choice(several).variant_ids))

    async def order(self) -> None:
        variant = self.draw.choice(list(self.shop.store.variants))
        customer = self.draw.choice(list(self.shop.store.sales.customers))
        lines = [{"variant": variant, "quantity": self.draw.randrange(1, 4)}]
        made = await self.shop.edit("create", "order", set={"customer": customer, "lines": lines})
        await self.shop.edit("fulfill", "order", made["id"])

    def an_order(self) -> int:
        return self.draw.choice(list(self.shop.store.sales.orders))

    async def note_order(self) -> None:
        await self.shop.edit("update", "order", self.an_order(), set={"note": f"Ring twice, {self.edits}"})

    def _unrefunded(self) -> int:
        whole = [o.id for o in self.shop.store.sales.orders.values() if not o.refunds and o.received_minor]
        return self.draw.choice(whole)

    async def refund(self) -> None:
        await self.shop.edit("refund", "order", self._unrefunded(), set={"note": "torn"})

    async def cancel(self) -> None:
        await self.shop.edit("cancel", "order", self._unrefunded(), set={"reason": "CUSTOMER"})

    async def delete_order(self) -> None:
        await self.shop.edit("delete", "order", self.an_order())

    async def move_customer(self) -> None:
        chosen = self.draw.choice(list(self.shop.store.sales.customers))
        await self.shop.edit("update", "customer", chosen, set={"addresses": [{"city": f"Ville {self.edits}"}]})

    async def delete_customer(self) -> None:
        await self.shop.edit("delete", "customer", self.draw.choice(list(self.shop.store.sales.customers)))

    def _by_hand(self) -> int:
        return self.draw.choice([c.id for c in self.shop.store.collections.by_id.values() if c.rules is None])

    async def collect(self) -> None:
        await self.shop.edit("add", "collection", self._by_hand(), products=[self.product()])

    async def uncollect(self) -> None:
        chosen = self._by_hand()
        held = [
            one["product_id"] for one in self.shop.store.collections.memberships() if one["collection_id"] == chosen
        ]
        await self.shop.edit("remove", "collection", chosen, products=held[:1])

    async def describe(self) -> None:
        field = {"namespace": "custom", "key": "care", "type": "single_line_text_field", "value": f"Cold {self.edits}"}
        await self.shop.edit("update", "metafield", owner=f"gid://shopify/Product/{self.product()}", set=field)

    async def show(self) -> None:
        picture = {"url": f"https://cdn.example/{self.edits}.png", "alt": "front"}
        await self.shop.edit("create", "media", product=self.product(), set=picture)

    async def caption(self) -> None:
        chosen = self.draw.choice(list(self.shop.store.media.by_id))
        await self.shop.edit("update", "media", chosen, set={"alt": f"side {self.edits}"})

    async def hide(self) -> None:
        await self.shop.edit("delete", "media", self.draw.choice(list(self.shop.store.media.by_id)))


@asynccontextmanager
async def busy(shop: Shop, seed: int) -> AsyncIterator[Merchant]:
    merchant, stop = Merchant(shop, seed), asyncio.Event()
    task = asyncio.create_task(merchant.edit_until(stop))
    try:
        yield merchant
    finally:
        stop.set()
        await task


@pytest.fixture(autouse=True)
def _no_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of when the last pull began must do by itself."""
    monkeypatch.setenv("SYNCLINE_COMMERCE_OVERLAP", "PT0S")


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    return await new_shop(products=120)


async def pull_slowly(works: Works, shop: Shop, path: PullPath) -> PullRun:
    """Slow enough for some twenty edits to fall into it."""
    await shop.fault("slow=2:0.4s@ProductsPage,slow=3:0.4s@LevelsOfLocation,slow=4:0.4s@BulkFind")
    return await works.pull(PullMode.FULL, path=path)


@pytest.mark.parametrize("seed", [1, 4])
@pytest.mark.parametrize("path", PullPath)
async def test_incremental_pull_after_a_busy_one_brings_the_mirror_level(
    works: Works, shop: Shop, store: Store, path: PullPath, seed: int
) -> None:
    async with busy(shop, seed) as merchant:
        await pull_slowly(works, shop, path)
    assert merchant.edits >= 3
    run = await works.pull()
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert await differences(works, shop, store.id) == []
    assert (await works.reconcile("content")).agreed


@pytest.mark.parametrize("then", ["deleted during the pull", "deleted after it"])
async def test_an_order_of_a_customer_that_no_pull_ever_saw(works: Works, shop: Shop, store: Store, then: str) -> None:
    """The customer comes after customers were read and before orders are, or goes the other way round."""
    sales = shop.store.sales
    if then == "deleted after it":
        await shop.fault("slow=1:3s@OrdersPage")
        async with asyncio.TaskGroup() as group:
            group.create_task(works.pull(PullMode.FULL, path=PullPath.PAGED))
            await eventually(partial(_count, works, CUSTOMERS), partial(eq, len(sales.customers)))
            made = await shop.edit("create", "customer", set={"email": "late@example.com"})
            variant = next(iter(shop.store.variants))
            await shop.edit("create", "order", set={"customer": made["id"], "lines": [{"variant": variant}]})
        await shop.edit("delete", "customer", made["id"])
        await works.pull()
    else:
        await shop.fault("slow=1:3s@CustomersPage")
        async with asyncio.TaskGroup() as group:
            group.create_task(works.pull(PullMode.FULL, path=PullPath.PAGED))
            await eventually(partial(_count, works, ORDERS), partial(eq, len(sales.orders)))
            chosen = next(order.customer_id for order in sales.orders.values() if order.customer_id is not None)
            await shop.edit("delete", "customer", chosen)
    assert await differences(works, shop, store.id) == []


async def _count(works: Works, query: LiteralString) -> int:
    return int((await works.rows(query))[0][0])


@pytest.mark.parametrize("path", PullPath)
async def test_incremental_pull_finds_every_kind_of_edit(
    works: Works, shop: Shop, store: Store, path: PullPath
) -> None:
    await works.pull()
    merchant = Merchant(shop, seed=3)
    for edit in merchant.kinds * 2:
        await edit()
        merchant.edits += 1
    run = await works.pull(path=path)
    assert (run.status, run.mode) == (RunStatus.COMPLETED, PullMode.INCREMENTAL)
    assert await differences(works, shop, store.id) == []
    assert run.reconciliation is not None
    assert run.reconciliation.repaired == 0
    assert sum(stream.deleted for stream in run.streams) > 0
    assert {s.stream: s.read for s in run.streams}["products"] < len(shop.store.variants)
