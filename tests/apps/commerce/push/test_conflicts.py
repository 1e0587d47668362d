"""The shop moved after a change was staged: nothing is written over it until somebody says so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from syncline.apps.commerce.contract import ChangeStatus, NothingToDo, Resolution

SHIRT_S = "sku:SHIRT-S"


def reprice(desk: Any, price: str) -> None:
    desk.store.update_variant(desk.variant("SHIRT-S"), price=price)


@pytest.fixture
async def conflict(desk: Any) -> Any:
    """A price staged at 20.00 -> 25.00 that the merchant has set to 21.00 since."""
    batch = await desk.staged(SHIRT_S, "price=25")
    reprice(desk, "21.00")
    run = await desk.push()
    assert run.counts == {ChangeStatus.CONFLICT: 1}
    return batch


async def test_moved_value_stays_and_is_shown(desk: Any, conflict: Any) -> None:
    change = await desk.change(conflict)
    assert (change.status, change.before, change.after) == ("conflict", {"price": "20.00"}, {"price": "25.00"})
    assert change.theirs == {"price": "21.00"}
    assert "moved" in change.sentence
    assert desk.variant("SHIRT-S").price == "21.00"
    assert await desk.ledger() == []
    (receipt,) = await desk.receipts(conflict)
    assert (receipt.outcome, receipt.before) == ("conflict", {"price": "21.00"})


async def test_skipping_leaves_the_shop_alone(desk: Any, conflict: Any) -> None:
    assert await desk.resolve(conflict, Resolution.SKIP) == 1
    with pytest.raises(NothingToDo):
        await desk.push()
    assert (await desk.change(conflict)).status == "skipped"
    assert desk.variant("SHIRT-S").price == "21.00"


async def test_overwriting_writes_over_what_was_shown(desk: Any, conflict: Any) -> None:
    await desk.resolve(conflict, Resolution.OVERWRITE)
    await desk.push()
    assert desk.variant("SHIRT-S").price == "25.00"
    assert (await desk.change(conflict)).status == "applied"
    assert [receipt.outcome for receipt in await desk.receipts(conflict)] == ["conflict", "applied"]
    assert (await desk.receipts(conflict))[-1].before == {"price": "21.00"}


async def test_overwriting_does_not_write_over_what_was_not_shown(desk: Any, conflict: Any) -> None:
    await desk.resolve(conflict, Resolution.OVERWRITE)
    reprice(desk, "22.00")
    await desk.push()
    assert desk.variant("SHIRT-S").price == "22.00"
    assert (await desk.change(conflict)).theirs == {"price": "22.00"}


async def test_merging_writes_only_what_did_not_move(desk: Any) -> None:
    batch = await desk.staged(SHIRT_S, "price=25", "barcode=999")
    reprice(desk, "21.00")
    await desk.push()
    assert desk.variant("SHIRT-S").barcode == "0123"
    await desk.resolve(batch, Resolution.MERGE)
    await desk.push()
    shirt = desk.variant("SHIRT-S")
    assert (shirt.price, shirt.barcode) == ("21.00", "999")
    change = await desk.change(batch)
    assert (change.status, change.after) == ("applied", {"barcode": "999"})


async def test_merging_when_everything_moved_is_a_skip(desk: Any, conflict: Any) -> None:
    await desk.resolve(conflict, Resolution.MERGE)
    assert (await desk.change(conflict)).status == "skipped"


async def test_value_that_is_as_wanted_needs_no_write(desk: Any) -> None:
    batch = await desk.staged(SHIRT_S, "price=25")
    reprice(desk, "25.00")
    await desk.push()
    assert (await desk.change(batch)).status == "applied"
    assert [receipt.outcome for receipt in await desk.receipts(batch)] == ["already"]
    assert await desk.ledger() == []


async def test_record_that_is_gone_is_said_to_be(desk: Any) -> None:
    batch = await desk.staged("handle:mug", "title=Cup")
    desk.store.delete_product(desk.product("mug"))
    await desk.push()
    change = await desk.change(batch)
    assert change.status == "failed"
    assert "no longer in the store" in change.sentence


async def test_others_of_the_batch_are_written_all_the_same(desk: Any) -> None:
    batch = await desk.staged("vendor:Acme", "price=25")
    reprice(desk, "21.00")
    run = await desk.push()
    assert run.counts == {"applied": 1, "conflict": 1}
    assert (desk.variant("SHIRT-S").price, desk.variant("SHIRT-M").price) == ("21.00", "25.00")
    assert {change.status for change in await desk.changes(batch)} == {"applied", "conflict"}


async def test_stock_that_moves_between_reading_and_writing_is_refused_by_the_shop_itself(desk: Any) -> None:
    batch = await desk.staged(SHIRT_S, 'inventory=50@"Main warehouse"')
    door = desk.pulled.shop.door
    door.hold("SetInventory")
    pushing = asyncio.create_task(desk.push())
    await door.wait()
    main = next(iter(desk.store.locations))
    desk.store.set_level(desk.variant("SHIRT-S").item_id, main, available=9)
    door.open()
    run = await pushing
    assert run.counts == {"conflict": 1}
    assert (await desk.change(batch)).theirs == {"available": 9}
    assert desk.pulled.shop.available("SHIRT-S", "Main warehouse") == 9


async def test_second_change_of_the_same_value_is_compared_with_what_the_first_left(desk: Any) -> None:
    first = await desk.stage(SHIRT_S, "price=25")
    second = await desk.stage(SHIRT_S, "price=30")
    await desk.approve(first, second)
    await desk.push()
    assert desk.variant("SHIRT-S").price == "25.00"
    assert (await desk.change(first)).status == "applied"
    assert (await desk.change(second)).theirs == {"price": "25.00"}
    assert len(await desk.ledger()) == 1


@pytest.mark.parametrize(
    ("edits", "seen"),
    [
        (("seo_title=A shirt", "seo_description=Cool linen"), ("A shirt", "Cool linen")),
        (("title=Shirt", "vendor=Globex"), ("Shirt", "Globex")),
    ],
)
async def test_changes_of_one_record_from_two_batches_both_arrive(
    desk: Any, edits: tuple[str, str], seen: tuple[str, str]
) -> None:
    """Shopify takes both halves of some pairs together: the second write must know what the first has set."""
    batches = [await desk.stage("handle:linen-shirt", edit) for edit in edits]
    await desk.approve(*batches)
    run = await desk.push()
    assert run.counts == {"applied": 2}
    shirt = desk.product("linen-shirt")
    assert tuple(getattr(shirt, edit.partition("=")[0]) for edit in edits) == seen
    assert [len(entry["changes"]) for entry in await desk.ledger()] == [1, 1]


async def test_answer_of_the_shop_is_what_the_mirror_and_the_receipt_keep(desk: Any) -> None:
    batch = await desk.staged("handle:linen-shirt", "tags=+AAA")
    await desk.push()
    kept = desk.product("linen-shirt").tags
    assert kept[0] == "AAA"
    (receipt,) = await desk.receipts(batch)
    assert receipt.after == {"tags": kept}
    again = await desk.stage("handle:linen-shirt", "tags=+BBB")
    assert (await desk.change(again)).before == {"tags": kept}
