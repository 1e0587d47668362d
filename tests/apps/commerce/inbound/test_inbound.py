"""What others change in a store is staged for review: accepted, or put back through the same review and push."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from syncline.apps.commerce.contract import (
    ChangeNotReviewable,
    ChangeQuery,
    ChangeStatus,
    NothingToDo,
    PullMode,
    PushRun,
    StoreNotFound,
    StoreReview,
)
from syncline.apps.commerce.inbound import noticing
from syncline.apps.commerce.mirror.loading import load_lines
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor


async def test_nothing_is_staged_without_it_or_without_a_change(table: Any) -> None:
    await table.pulled.pull()
    assert await table.changes() == []
    await table.review(StoreReview.NONE)
    table.reprice("SHIRT-S", "21.00")
    await table.pulled.pull()
    assert await table.changes() == []


@pytest.mark.parametrize("mode", list(PullMode))
async def test_a_pull_stages_what_was_changed_and_the_mirror_follows(table: Any, mode: PullMode) -> None:
    table.edit(vendor="Other", tags=["Linen", "new"])
    table.reprice("SHIRT-S", "21.00")
    run = await table.pulled.pull(mode)
    found = {change.kind: change for change in await table.pending()}
    product, variant = found["product"], found["variant"]
    assert (product.before, product.after) == (
        {"vendor": "Acme", "tags": ["Linen", "summer"]},
        {"vendor": "Other", "tags": ["Linen", "new"]},
    )
    assert (variant.before, variant.after) == ({"price": "20.00"}, {"price": "21.00"})
    assert (product.label, variant.label) == ("Linen Shirt", "Linen Shirt / S [SHIRT-S]")
    assert (product.author, product.direction, product.vendor) == ("the store", "inbound", "Acme")
    (batch,) = await table.batches("inbound")
    assert (batch.counts, str(run.id) in batch.summary) == ({"pending": 2}, True)
    assert await table.held("vendor:Other") == 1
    await table.pulled.pull()
    assert len(await table.pending()) == 2


async def test_approved_it_is_accepted_and_nothing_is_sent(table: Any) -> None:
    table.reprice("SHIRT-S", "21.00")
    await table.pulled.pull()
    assert await table.approve(store="demo") == 1
    (change,) = await table.changes()
    assert (change.status, change.reviewer) == (ChangeStatus.ACCEPTED, "the owner")
    with pytest.raises(NothingToDo):
        await table.pulled.push()
    with pytest.raises(ChangeNotReviewable, match="1 accepted"):
        await table.reject(ids=(change.id,))
    table.reprice("SHIRT-S", "22.00")
    await table.pulled.pull()
    (later,) = await table.pending()
    assert later.before == {"price": "21.00"}


async def test_rejected_it_is_put_back_through_review_and_push(table: Any) -> None:
    table.edit(vendor="Other", tags=["Linen", "new"])
    table.reprice("SHIRT-S", "21.00")
    await table.pulled.pull()
    assert await table.reject(store="demo") == 2
    (batch,) = await table.batches("put_back")
    assert (batch.counts, batch.author) == ({"pending": 2}, "the owner")
    assert table.price("SHIRT-S") == "21.00"
    back = await table.changes("direction:outbound", batch_id=batch.id)
    assert {change.note for change in back} == {"not agreed"}
    await table.approve(batch_id=batch.id)
    pushed: PushRun = await table.pulled.push()
    assert pushed.counts == {"applied": 2}
    shirt = table.shop.find_product_by_handle("linen-shirt")
    assert (table.price("SHIRT-S"), shirt.vendor, sorted(shirt.tags)) == ("20.00", "Acme", ["Linen", "summer"])
    await table.pulled.pull()
    assert await table.pending() == []


async def test_what_moves_before_it_is_put_back_is_a_conflict(table: Any) -> None:
    table.reprice("SHIRT-S", "21.00")
    await table.pulled.pull()
    await table.reject(store="demo")
    (batch,) = await table.batches("put_back")
    await table.approve(batch_id=batch.id)
    table.reprice("SHIRT-S", "30.00")
    pushed: PushRun = await table.pulled.push()
    assert (pushed.counts, table.price("SHIRT-S")) == ({"conflict": 1}, "30.00")


async def test_what_was_put_back_can_be_rolled_back_and_that_too(table: Any) -> None:
    table.reprice("SHIRT-S", "21.00")
    await table.pulled.pull()
    await table.reject(store="demo")
    (batch,) = await table.batches("put_back")
    prices = []
    for _ in range(3):
        await table.approve(batch_id=batch.id)
        await table.pulled.push()
        prices.append(table.price("SHIRT-S"))
        batch = await table.commerce.stage_rollback(actor=table.actor, batch_id=batch.id)
    assert prices == ["20.00", "21.00", "20.00"]


async def test_a_later_change_stands_for_the_earlier_from_what_was_accepted(table: Any) -> None:
    table.reprice("SHIRT-S", "21.00")
    await table.pulled.pull()
    (first,) = await table.pending()
    table.reprice("SHIRT-S", "22.00")
    table.shop.update_variant(table.pulled.shop.variant("SHIRT-S"), barcode="999")
    await table.pulled.pull()
    (second,) = await table.pending()
    assert (second.before, second.after) == (
        {"price": "20.00", "barcode": "0123"},
        {"price": "22.00", "barcode": "999"},
    )
    (gone,) = await table.changes(ids=(first.id,))
    assert (gone.status, gone.sentence) == (ChangeStatus.SKIPPED, noticing.AGAIN)
    with pytest.raises(ChangeNotReviewable, match="1 skipped"):
        await table.approve(ids=(first.id,))


async def test_what_goes_back_by_itself_needs_nobody(table: Any) -> None:
    table.reprice("SHIRT-S", "21.00")
    await table.pulled.pull()
    table.reprice("SHIRT-S", "20.00")
    await table.pulled.pull()
    (change,) = await table.changes()
    assert (change.status, change.sentence) == (ChangeStatus.SKIPPED, noticing.BACK)


async def test_our_own_push_is_nobody_elses_change(table: Any) -> None:
    batch = await table.commerce.stage_edit(actor=table.actor, store="demo", where="", edits=["price=+1", "tags=+x"])
    await table.approve(batch_id=batch.id)
    await table.pulled.push()
    await table.pulled.pull()
    assert await table.changes() == []


async def test_a_pull_while_our_own_push_waits_for_its_answer_notices_only_what_others_did(table: Any) -> None:
    """The write has arrived, its answer has not: the door keeps it."""
    batch = await table.commerce.stage_edit(actor=table.actor, store="demo", where="sku:SHIRT-S", edits=["price=25"])
    await table.approve(batch_id=batch.id)
    table.pulled.shop.door.hold("productVariantsBulkUpdate")
    pushing = asyncio.create_task(table.pulled.push())
    await table.pulled.shop.door.wait()
    table.reprice("SHIRT-S", "25.00")
    table.edit(vendor="Other")
    pulls = await table.commerce.start_pull(actor=table.actor, store="demo", mode=PullMode.INCREMENTAL)
    await table.pulled.work()
    assert (await table.commerce.get_pull(actor=table.actor, run_id=pulls.id)).error is None
    assert [change.after for change in await table.pending()] == [{"vendor": "Other"}]
    table.pulled.shop.door.open()
    await pushing


async def test_an_inbound_change_does_not_stop_an_edit_here(table: Any) -> None:
    table.edit(vendor="Other")
    await table.pulled.pull()
    batch = await table.commerce.stage_edit(
        actor=table.actor, store="demo", where="handle:linen-shirt", edits=["vendor=Mine"]
    )
    await table.approve(batch_id=batch.id)
    pushed: PushRun = await table.pulled.push()
    assert pushed.counts == {"applied": 1}
    assert len(await table.pending()) == 1


async def test_two_decide_at_once_and_only_one_puts_back(table: Any) -> None:
    table.reprice("SHIRT-S", "21.00")
    await table.pulled.pull()
    (change,) = await table.pending()
    done = await asyncio.gather(
        *(table.reject(ids=(change.id,)) for _ in range(4)),
        *(table.approve(ids=(change.id,)) for _ in range(2)),
        return_exceptions=True,
    )
    (change,) = await table.changes()
    assert sorted(one for one in done if isinstance(one, int)) == [1]
    put_back = {ChangeStatus.REJECTED: 1, ChangeStatus.ACCEPTED: 0}[change.status]
    assert len(await table.batches("put_back")) == put_back


async def test_a_chunk_that_breaks_off_stages_nothing_and_again_stages_once(table: Any, product_line: Any) -> None:
    """Staged and stored together: what is not in the mirror is not staged either."""
    store = (await table.commerce.overview(actor=table.actor, store="demo")).store
    number = table.shop.find_product_by_handle("linen-shirt").id
    lines = [product_line(number, title="Linen Shirt", vendor="Other", updated_at="2030-01-01T00:00:00Z")]
    notice = noticing.notice_for(store, run_id=new_id(), what="pull")
    database = table.commerce.runtime.database

    async def load(*, breaks_off: bool) -> None:
        async with database.writing(table.actor.tenant_id) as session:
            await load_lines(session, store.id, "products", lines, read_from=clock.now(), notice=notice)
            require(not breaks_off)

    with pytest.raises(ConnectionError):
        await load(breaks_off=True)
    assert await table.changes() == []
    await load(breaks_off=False)
    await load(breaks_off=False)
    (change,) = await table.pending()
    assert (change.before["vendor"], change.after["vendor"]) == ("Acme", "Other")


def require(goes_on: Any) -> None:
    """Stands for a worker that dies before it commits."""
    if not goes_on:
        raise ConnectionError


async def test_what_a_comparison_mends_is_noticed_too(table: Any) -> None:
    table.edit(vendor="Other")
    await table.commerce.reconcile(actor=table.actor, store="demo", depth="content")
    (change,) = await table.pending()
    assert change.after == {"vendor": "Other"}


async def test_stock_and_new_products_are_not_reviewed(table: Any) -> None:
    variant = table.pulled.shop.variant("SHIRT-S")
    location = next(iter(table.shop.locations))
    table.shop.set_level(variant.item_id, location, available=1)
    table.shop.delete_product(table.shop.find_product_by_handle("mug"))
    await table.pulled.pull()
    assert await table.changes() == []


async def test_no_other_tenants_store(table: Any, stranger: Actor) -> None:
    with pytest.raises(StoreNotFound):
        await table.commerce.set_store_review(actor=stranger, store="demo", review=StoreReview.NONE)
    table.edit(vendor="Other")
    await table.pulled.pull()
    (change,) = await table.pending()
    with pytest.raises(ChangeNotReviewable):
        await table.commerce.reject(actor=stranger, query=ChangeQuery(ids=(change.id,)))
