"""The contract by its local implementation, against a real shop: the whole way of a change, and what is refused."""

from __future__ import annotations

from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from syncline.apps.commerce.contract import (
    BatchNotFound,
    ChangeQuery,
    ChangeStatus,
    NothingToDo,
    PullAlreadyRunning,
    PullMode,
    PullPath,
    PushAlreadyRunning,
    Resolution,
    RunNotFound,
    RunStatus,
    SheetRefused,
    StoreNotFound,
)
from syncline.apps.commerce.facade import LocalCommerce
from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor

PAGE = PageRequest(limit=100)


async def approved(commerce: LocalCommerce, actor: Actor, where: str, *edits: str) -> UUID:
    batch = await commerce.stage_edit(actor=actor, store="demo", where=where, edits=edits)
    await commerce.approve(actor=actor, query=ChangeQuery(batch_id=batch.id))
    return batch.id


async def test_change_approve_push_and_undo(pulled: Any, commerce: LocalCommerce, owner: Actor) -> None:
    shop = pulled.shop
    edits = ("tags=+sale", "price=+10%~.99", "inventory=+5@main warehouse")
    batch_id = await approved(commerce, owner, "vendor:Acme", *edits)
    assert shop.variant("SHIRT-S").price == "20.00"
    push = await pulled.push()
    assert (push.status, push.counts) == (RunStatus.COMPLETED, {"applied": 5})
    assert (shop.variant("SHIRT-S").price, shop.variant("SHIRT-M").price) == ("21.99", "23.99")
    assert (shop.available("SHIRT-S", "Main warehouse"), shop.available("SHIRT-S", "Flagship store")) == (15, 3)
    receipts = await commerce.list_receipts(actor=owner, batch_id=batch_id, page=PAGE)
    assert [(one.outcome, one.attempt, one.verified_by) for one in receipts.items] == [("applied", 1, "answer")] * 5

    undo = await commerce.stage_rollback(actor=owner, batch_id=batch_id, note="not this season")
    assert (undo.kind, undo.reverts, undo.counts) == ("rollback", batch_id, {"pending": 5})
    await commerce.approve(actor=owner, query=ChangeQuery(batch_id=undo.id))
    await pulled.push()
    assert (shop.variant("SHIRT-S").price, shop.available("SHIRT-M", "Main warehouse")) == ("20.00", 1)
    outcome = await commerce.reconcile(actor=owner, store="demo", depth="content", repair=False)
    assert (outcome.agreed, outcome.repaired) == (True, 0)


async def test_chosen_rows_are_undone_and_the_others_stay(pulled: Any, commerce: LocalCommerce, owner: Actor) -> None:
    batch_id = await approved(commerce, owner, "", "price=+1")
    await pulled.push()
    changes = await commerce.list_changes(
        actor=owner, query=ChangeQuery(batch_id=batch_id, search="sku:SHIRT-M"), page=PAGE
    )
    undo = await commerce.stage_rollback(actor=owner, batch_id=batch_id, change_ids=[changes.items[0].id])
    assert undo.counts == {"pending": 1}
    await commerce.approve(actor=owner, query=ChangeQuery(batch_id=undo.id))
    await pulled.push()
    assert (pulled.shop.variant("SHIRT-S").price, pulled.shop.variant("SHIRT-M").price) == ("21.00", "22.00")


async def test_a_value_that_moved_is_a_conflict_and_is_settled(
    pulled: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    batch_id = await approved(commerce, owner, "vendor:acme", "price=+1")
    pulled.shop.store.update_variant(pulled.shop.variant("SHIRT-S"), price="99.00")
    push = await pulled.push()
    assert push.counts == {"applied": 1, "conflict": 1}
    query = ChangeQuery(batch_id=batch_id, statuses=[ChangeStatus.CONFLICT])
    (conflict,) = (await commerce.list_changes(actor=owner, query=query, page=PAGE)).items
    assert (conflict.before, conflict.after, conflict.theirs) == (
        {"price": "20.00"},
        {"price": "21.00"},
        {"price": "99.00"},
    )
    assert await commerce.resolve(actor=owner, query=query, resolution=Resolution.OVERWRITE) == 1
    await pulled.push()
    assert pulled.shop.variant("SHIRT-S").price == "21.00"


async def test_a_shop_whose_currency_has_no_digits(
    open_shop: Any, make_pulled: Any, commerce: LocalCommerce, owner: Actor, tmp_path: Path
) -> None:
    tokyo = await make_pulled(await open_shop(currency="JPY"))
    await approved(commerce, owner, "vendor:acme", "price=+10%", "compare_at_price=price")
    assert (await tokyo.push()).counts == {"applied": 2}
    shirt = tokyo.shop.variant("SHIRT-S")
    assert [Decimal(amount) for amount in (shirt.price, shirt.compare_at_price)] == [2200, 2000]
    sheet = tmp_path / "prices.csv"
    sheet.write_text("Handle,Option1 Value,Variant Price\nlinen-shirt,S,2200\nmug,,900.00\n")
    assert (await commerce.import_sheet(actor=owner, store="demo", path=str(sheet))).staged == 0
    assert (await commerce.reconcile(actor=owner, store="demo", depth="content", repair=False)).agreed


async def test_an_amount_written_with_other_digits_is_the_same_amount(
    pulled: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    """We write 2 and 16, the shop answers 2.0 and 16.00: nothing differs."""
    await approved(commerce, owner, "", "weight=2", "price=16")
    await pulled.push()
    outcome = await commerce.reconcile(actor=owner, store="demo", depth="content", repair=False)
    assert outcome.agreed
    await pulled.pull()  # looks at every row that was written
    again = await pulled.pull()
    assert {(stream.updated, stream.inserted) for stream in again.streams} == {(0, 0)}


async def test_a_sheet_is_staged_under_its_name(
    pulled: Any, commerce: LocalCommerce, owner: Actor, tmp_path: Path
) -> None:
    sheet = tmp_path / "prices.csv"
    sheet.write_text("Handle,Variant Price\nmug,9.50\n")
    result = await commerce.import_sheet(actor=owner, store="demo", path=str(sheet))
    assert result.batch is not None
    assert result.batch.summary == "Import of prices.csv"
    sheet.write_text("Handle,Variant Price\nmug,9.75\n")
    named = await commerce.import_sheet(actor=owner, store="demo", path=str(sheet), name="from a colleague")
    assert named.batch is not None
    assert named.batch.summary == "Import of from a colleague"


async def test_a_refused_sheet_leaves_nothing_behind(
    pulled: Any, commerce: LocalCommerce, owner: Actor, tmp_path: Path
) -> None:
    sheet = tmp_path / "prices.csv"
    sheet.write_text('Handle,Variant Price\nmug,9.50\nwool-hat,"12,5o"\n')
    with pytest.raises(SheetRefused):
        await commerce.import_sheet(actor=owner, store="demo", path=str(sheet))
    assert (await commerce.list_batches(actor=owner, store=None, page=PAGE)).total == 0
    assert (await commerce.list_changes(actor=owner, query=ChangeQuery(), page=PAGE)).total == 0


async def test_a_second_pull_is_refused_with_the_first_ones_id(
    pulled: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    first = await commerce.start_pull(actor=owner, store="demo", mode=PullMode.FULL)
    with pytest.raises(PullAlreadyRunning, match=str(first.id)) as caught:
        await commerce.start_pull(actor=owner, store="demo", mode=PullMode.INCREMENTAL)
    assert caught.value.extra == {"run_id": str(first.id)}
    cancelled = await commerce.cancel_pull(actor=owner, run_id=first.id)
    assert cancelled.status is RunStatus.CANCELLED
    assert (await pulled.pull()).status is RunStatus.COMPLETED


async def test_a_second_push_is_refused_with_the_first_ones_id(
    pulled: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    await approved(commerce, owner, "", "price=+1")
    first = await commerce.start_push(actor=owner, store="demo")
    with pytest.raises(PushAlreadyRunning, match=str(first.id)) as caught:
        await commerce.start_push(actor=owner, store="demo")
    assert caught.value.extra == {"run_id": str(first.id)}


async def test_some_streams_by_a_path_of_ones_own(pulled: Any, commerce: LocalCommerce, owner: Actor) -> None:
    run = await commerce.start_pull(
        actor=owner, store="demo", mode=PullMode.FULL, streams=["products"], path=PullPath.BULK
    )
    await pulled.work()
    done = await commerce.get_pull(actor=owner, run_id=run.id)
    assert [(stream.stream, stream.path, stream.read) for stream in done.streams] == [("products", "bulk", 7)]


async def test_what_is_not_there_is_named(pulled: Any, commerce: LocalCommerce, owner: Actor) -> None:
    nowhere = new_id()
    stores: list[Coroutine[Any, Any, object]] = [
        commerce.start_pull(actor=owner, store="nope", mode=PullMode.FULL),
        commerce.reconcile(actor=owner, store="nope"),
        commerce.stage_edit(actor=owner, store="nope", where="", edits=["price=1"]),
        commerce.import_sheet(actor=owner, store="nope", path=__file__),
        commerce.list_batches(actor=owner, store="nope", page=PAGE),
        commerce.list_changes(actor=owner, query=ChangeQuery(store="nope"), page=PAGE),
        commerce.start_push(actor=owner, store="nope"),
        commerce.overview(actor=owner, store="nope"),
        commerce.test_store(actor=owner, store="nope"),
    ]
    batches: list[Coroutine[Any, Any, object]] = [
        commerce.list_changes(actor=owner, query=ChangeQuery(batch_id=nowhere), page=PAGE),
        commerce.get_change(actor=owner, change_id=nowhere),
        commerce.start_push(actor=owner, store="demo", batch_id=nowhere),
        commerce.list_receipts(actor=owner, batch_id=nowhere, page=PAGE),
        commerce.stage_rollback(actor=owner, batch_id=nowhere),
    ]
    runs: list[Coroutine[Any, Any, object]] = [
        commerce.get_pull(actor=owner, run_id=nowhere),
        commerce.cancel_pull(actor=owner, run_id=nowhere),
        commerce.get_push(actor=owner, run_id=nowhere),
    ]
    for call in stores:
        with pytest.raises(StoreNotFound, match="No store is called nope"):
            await call
    for call in batches:
        with pytest.raises(BatchNotFound, match=str(nowhere)):
            await call
    for call in runs:
        with pytest.raises(RunNotFound, match=str(nowhere)):
            await call


async def test_nothing_to_push_or_to_undo_is_said(pulled: Any, commerce: LocalCommerce, owner: Actor) -> None:
    with pytest.raises(NothingToDo, match="approve first"):
        await commerce.start_push(actor=owner, store="demo")
    batch = await commerce.stage_edit(actor=owner, store="demo", where="", edits=["price=+1"])
    with pytest.raises(NothingToDo, match="nothing to undo"):
        await commerce.stage_rollback(actor=owner, batch_id=batch.id)
    change = (await commerce.list_changes(actor=owner, query=ChangeQuery(), page=PAGE)).items[0]
    with pytest.raises(BatchNotFound, match="only what was written"):
        await commerce.stage_rollback(actor=owner, batch_id=batch.id, change_ids=[change.id])


async def test_a_batch_of_another_store_is_not_pushed_to_this_one(
    pulled: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    batch_id = await approved(commerce, owner, "", "price=+1")
    shop = pulled.shop
    await commerce.add_store(
        actor=owner, name="second", shop_domain="second.myshopify.com", token="shpat_sandbox", base_url=shop.url
    )
    with pytest.raises(BatchNotFound, match="staged for demo"):
        await commerce.start_push(actor=owner, store="second", batch_id=batch_id)


async def test_an_unknown_stream_or_depth_is_refused(pulled: Any, commerce: LocalCommerce, owner: Actor) -> None:
    with pytest.raises(InvalidInput, match=r"the streams are products, inventory, .*orders"):
        await commerce.start_pull(actor=owner, store="demo", mode=PullMode.FULL, streams=["wishes"])
    with pytest.raises(InvalidInput, match="use counts, ids or content"):
        await commerce.reconcile(actor=owner, store="demo", depth="deep")


async def test_other_tenant_sees_and_moves_nothing(
    pulled: Any, commerce: LocalCommerce, owner: Actor, stranger: Actor
) -> None:
    batch_id = await approved(commerce, owner, "", "price=+1")
    run = await pulled.push()
    query = ChangeQuery(batch_id=batch_id)
    (change, *_) = (await commerce.list_changes(actor=owner, query=query, page=PAGE)).items
    assert (await commerce.list_batches(actor=stranger, store=None, page=PAGE)).total == 0
    assert (await commerce.list_changes(actor=stranger, query=ChangeQuery(ids=[change.id]), page=PAGE)).total == 0
    refused: list[Coroutine[Any, Any, object]] = [
        commerce.overview(actor=stranger, store="demo"),
        commerce.get_change(actor=stranger, change_id=change.id),
        commerce.get_push(actor=stranger, run_id=run.id),
        commerce.list_receipts(actor=stranger, batch_id=batch_id, page=PAGE),
        commerce.stage_rollback(actor=stranger, batch_id=batch_id),
        commerce.reject(actor=stranger, query=query),
        commerce.start_push(actor=stranger, store="demo"),
    ]
    for call in refused:
        with pytest.raises((StoreNotFound, BatchNotFound, RunNotFound)):
            await call
