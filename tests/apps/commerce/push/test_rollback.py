"""The way back is a batch like any other: staged, reviewed, compared with the shop, written once."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.apps.commerce.contract import BatchNotFound, NothingToDo, Resolution
from syncline.kernel.ids import new_id


def prices(desk: Any) -> tuple[str, str]:
    return desk.variant("SHIRT-S").price, desk.variant("SHIRT-M").price


@pytest.fixture
async def pushed(desk: Any) -> Any:
    """Both shirts from 20.00 and 22.00 to 25.00."""
    batch = await desk.staged("vendor:Acme", "price=25")
    await desk.push()
    assert prices(desk) == ("25.00", "25.00")
    return batch


async def test_batch_is_undone(desk: Any, pushed: Any) -> None:
    undo = await desk.undo(pushed)
    assert (undo.kind, undo.reverts) == ("rollback", pushed.id)
    assert prices(desk) == ("25.00", "25.00")
    run = await desk.push()
    assert run.counts == {"applied": 2}
    assert prices(desk) == ("20.00", "22.00")


async def test_rows_are_undone_and_the_others_stay(desk: Any, pushed: Any) -> None:
    chosen = next(change.id for change in await desk.changes(pushed) if change.before == {"price": "20.00"})
    await desk.undo(pushed, [chosen])
    await desk.push()
    assert prices(desk) == ("20.00", "25.00")


async def test_stock_and_products_are_undone_too(desk: Any) -> None:
    stock = await desk.staged("sku:SHIRT-S", 'inventory=+5@"Main warehouse"')
    texts = await desk.staged("handle:linen-shirt", "title=Shirt", "tags=+sale", "seo_title=New")
    await desk.push()
    assert desk.pulled.shop.available("SHIRT-S", "Main warehouse") == 15
    await desk.undo(stock)
    await desk.undo(texts)
    await desk.push()
    shirt = desk.product("linen-shirt")
    assert desk.pulled.shop.available("SHIRT-S", "Main warehouse") == 10
    assert (shirt.title, shirt.tags, shirt.seo_title or None) == ("Linen Shirt", ["Linen", "summer"], None)


async def test_value_that_moved_since_is_a_conflict_and_is_not_undone(desk: Any, pushed: Any) -> None:
    desk.store.update_variant(desk.variant("SHIRT-S"), price="27.00")
    undo = await desk.undo(pushed)
    run = await desk.push()
    assert run.counts == {"applied": 1, "conflict": 1}
    assert prices(desk) == ("27.00", "22.00")
    assert {str(change.theirs) for change in await desk.changes(undo)} == {"None", "{'price': '27.00'}"}


async def test_undoing_an_undo_brings_the_change_back(desk: Any, pushed: Any) -> None:
    undo = await desk.undo(pushed)
    await desk.push()
    await desk.undo(undo)
    await desk.push()
    assert prices(desk) == ("25.00", "25.00")


async def test_undoing_twice_writes_once(desk: Any, pushed: Any) -> None:
    await desk.undo(pushed)
    await desk.push()
    written = len(await desk.ledger())
    again = await desk.undo(pushed)
    await desk.push()
    assert [receipt.outcome for receipt in await desk.receipts(again)] == ["already", "already"]
    assert len(await desk.ledger()) == written


async def test_what_the_push_went_over_comes_back_not_what_was_staged(desk: Any) -> None:
    """Overwritten with open eyes at 21.00: undoing gives 21.00, not the 20.00 of the day it was staged."""
    batch = await desk.staged("sku:SHIRT-S", "price=25")
    desk.store.update_variant(desk.variant("SHIRT-S"), price="21.00")
    await desk.push()
    await desk.resolve(batch, Resolution.OVERWRITE)
    await desk.push()
    await desk.undo(batch)
    await desk.push()
    assert desk.variant("SHIRT-S").price == "21.00"


async def test_what_was_not_written_is_not_undone(desk: Any) -> None:
    batch = await desk.staged("vendor:Acme", "price=25")
    desk.store.update_variant(desk.variant("SHIRT-S"), price="21.00")
    desk.store.update_variant(desk.variant("SHIRT-M"), price="25.00")
    await desk.push()
    with pytest.raises(NothingToDo, match="nothing to undo"):
        await desk.undo(batch)


async def test_batch_that_was_never_pushed_has_nothing_to_undo(desk: Any) -> None:
    batch = await desk.staged("vendor:Acme", "price=25")
    with pytest.raises(NothingToDo):
        await desk.undo(batch)


async def test_unknown_batch_and_unknown_row_are_named(desk: Any, pushed: Any) -> None:
    stray = new_id()
    with pytest.raises(BatchNotFound, match=str(stray)):
        await desk.undo(pushed, [stray])
    with pytest.raises(BatchNotFound):
        await desk.commerce.stage_rollback(actor=desk.pulled.actor, batch_id=stray, change_ids=())


async def test_other_tenant_cannot_undo(desk: Any, pushed: Any, stranger: Any) -> None:
    with pytest.raises(BatchNotFound):
        await desk.commerce.stage_rollback(actor=stranger, batch_id=pushed.id, change_ids=())
