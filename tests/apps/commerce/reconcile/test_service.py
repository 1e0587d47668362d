"""Store against mirror: what is found, what is mended, what is only said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, LiteralString

import pytest

from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.kernel.errors import InvalidInput

Reconcile = Callable[..., Awaitable[Any]]


@pytest.fixture
def reconcile(pulled: Any) -> Reconcile:
    async def run(depth: str, *, repair: bool = True) -> Any:
        return await pulled.commerce.reconcile(actor=pulled.actor, store="demo", depth=depth, repair=repair)

    return run


async def spoil(pulled: Any, query: LiteralString) -> None:
    """What no pull should ever do to the mirror."""
    async with pulled.commerce.runtime.database.writing(pulled.actor.tenant_id) as session:
        await (await session.driver()).execute(query)


def kind(found: Any, name: str) -> Any:
    return next(count for count in found.kinds if count.kind == name)


@pytest.mark.parametrize("depth", ["counts", "ids", "content"])
async def test_fresh_mirror_agrees(reconcile: Reconcile, depth: str) -> None:
    found = await reconcile(depth)
    assert (found.agreed, found.repaired, found.method) == (True, 0, depth)
    assert {count.kind: count.in_mirror for count in found.kinds if count.in_mirror} == {
        "product": 3,
        "variant": 4,
        "location": 2,
        "inventory_level": 6,
        "inventory_item": 4,
    }
    assert {count.kind for count in found.kinds} == set(KINDS)


async def test_lost_row_is_seen_by_counts_and_fetched(pulled: Any, reconcile: Reconcile) -> None:
    await spoil(pulled, "delete from commerce.product where handle = 'mug'")
    assert not (await reconcile("counts", repair=False)).agreed
    found = await reconcile("counts")
    assert (found.agreed, found.repaired, found.method) == (True, 1, "ids")


async def test_lost_variant_is_seen_by_its_products_own_count(pulled: Any, reconcile: Reconcile) -> None:
    """One variant too few of one product and one too many of another: the totals agree."""
    await spoil(pulled, "delete from commerce.variant where sku = 'SHIRT-S'")
    await spoil(
        pulled,
        "insert into commerce.variant select (jsonb_populate_record(v, '{\"id\": 1}')).* from commerce.variant v"
        " where v.product_id in (select id from commerce.product where handle = 'mug')",
    )
    seen = await reconcile("counts", repair=False)
    assert kind(seen, "variant").in_store == kind(seen, "variant").in_mirror
    assert not seen.agreed
    assert kind(seen, "product").stale_count == 2
    assert (await reconcile("counts")).agreed


async def test_stale_value_is_seen_by_content_only(pulled: Any, reconcile: Reconcile) -> None:
    await spoil(pulled, "update commerce.variant set price = 1 where sku = 'SHIRT-S'")
    assert (await reconcile("ids")).agreed
    seen = await reconcile("content", repair=False)
    assert (seen.agreed, kind(seen, "variant").stale_count) == (False, 1)
    mended = await reconcile("content")
    assert (mended.agreed, mended.repaired) == (True, 1)
    assert (await reconcile("content", repair=False)).agreed


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("update commerce.location set name = 'Nowhere'", "location"),
        ("delete from commerce.location where name = 'Flagship store'", "location"),
        ("update commerce.inventory_level set on_hand = 77 where available = 10", "inventory_level"),
        ("delete from commerce.inventory_level where available = 10", "inventory_level"),
        ("update commerce.product set tags = '{}', description_html = 'x' where handle = 'linen-shirt'", "product"),
        ("update commerce.product set deleted_at = '2026-11-01' where handle = 'linen-shirt'", "product"),
    ],
)
async def test_every_kind_is_mended(pulled: Any, reconcile: Reconcile, query: LiteralString, name: str) -> None:
    await spoil(pulled, query)
    seen = await reconcile("content", repair=False)
    assert not kind(seen, name).agrees
    mended = await reconcile("content")
    assert (mended.agreed, mended.repaired > 0) == (True, True)


async def test_record_that_is_gone_from_the_shop_is_buried_even_if_it_was_changed_this_second(
    pulled: Any, reconcile: Reconcile
) -> None:
    shirt = pulled.shop.variant("SHIRT-S")
    pulled.shop.store.update_variant(shirt, price="21.00")
    await pulled.pull()
    pulled.shop.store.delete_variant(shirt)
    found = await reconcile("ids")
    assert found.agreed
    assert kind(found, "variant").in_mirror == 3


async def test_unknown_depth_is_refused_with_those_there_are(reconcile: Reconcile) -> None:
    with pytest.raises(InvalidInput, match="counts, ids or content"):
        await reconcile("deep")
