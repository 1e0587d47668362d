"""Who may push what, and when."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from syncline.apps.commerce.contract import (
    ChangeNotReviewable,
    ChangeQuery,
    NothingToDo,
    PushAlreadyRunning,
    RunNotFound,
    RunStatus,
)
from syncline.kernel.ids import new_id


async def start(desk: Any, **more: Any) -> Any:
    return await desk.commerce.start_push(actor=desk.pulled.actor, store="demo", **more)


async def test_push_without_approved_changes_is_refused(desk: Any) -> None:
    await desk.stage("sku:SHIRT-S", "price=25")
    with pytest.raises(NothingToDo, match="approve first"):
        await start(desk)


async def test_second_push_is_refused_with_the_id_of_the_first(desk: Any) -> None:
    await desk.staged("vendor:Acme", "price=25")
    first = await start(desk)
    with pytest.raises(PushAlreadyRunning, match=str(first.id)) as refused:
        await start(desk)
    assert refused.value.extra == {"run_id": str(first.id)}
    await desk.pulled.work()
    assert (await desk.commerce.get_push(actor=desk.pulled.actor, run_id=first.id)).status is RunStatus.COMPLETED


async def test_of_two_pushes_at_once_one_is_refused(desk: Any) -> None:
    await desk.staged("vendor:Acme", "price=25")
    outcomes = await asyncio.gather(start(desk), start(desk), start(desk), return_exceptions=True)
    assert Counter(type(one).__name__ for one in outcomes) == {"PushRun": 1, "PushAlreadyRunning": 2}
    assert len(desk.pulled.queue.waiting) == 1


async def test_what_is_approved_while_a_push_runs_waits_for_the_next(desk: Any) -> None:
    await desk.staged("sku:SHIRT-S", "price=25")
    run = await start(desk)
    later = await desk.staged("sku:SHIRT-M", "price=26")
    await desk.pulled.work()
    assert (await desk.commerce.get_push(actor=desk.pulled.actor, run_id=run.id)).total == 1
    assert (await desk.change(later)).status == "approved"
    await desk.push()
    assert desk.variant("SHIRT-M").price == "26.00"


async def test_push_of_one_batch_leaves_the_other(desk: Any) -> None:
    mine = await desk.staged("sku:SHIRT-S", "price=25")
    other = await desk.staged("sku:SHIRT-M", "price=26")
    await start(desk, batch_id=mine.id)
    await desk.pulled.work()
    assert (await desk.change(mine)).status == "applied"
    assert (await desk.change(other)).status == "approved"


async def test_two_approvers_at_once_approve_each_change_once(desk: Any) -> None:
    batch = await desk.stage("vendor:Acme", "price=25")
    query = ChangeQuery(batch_id=batch.id)

    async def approve() -> int:
        done = await desk.commerce.approve(actor=desk.pulled.actor, query=query)
        return int(done.changed)

    outcomes = await asyncio.gather(approve(), approve(), return_exceptions=True)
    assert Counter(map(str, outcomes))["2"] == 1
    assert Counter(type(one) for one in outcomes) == {int: 1, ChangeNotReviewable: 1}


async def test_approving_and_rejecting_at_once_does_one_of_them(desk: Any) -> None:
    batch = await desk.stage("sku:SHIRT-S", "price=25")
    query = ChangeQuery(batch_id=batch.id)
    await asyncio.gather(
        desk.commerce.approve(actor=desk.pulled.actor, query=query),
        desk.commerce.reject(actor=desk.pulled.actor, query=query),
        return_exceptions=True,
    )
    # Approved things may still be rejected, so rejection has the last word whenever it comes.
    assert (await desk.change(batch)).status == "rejected"


async def test_change_rejected_after_it_was_claimed_is_not_sent(desk: Any) -> None:
    batch = await desk.staged("vendor:Acme", "price=25")
    await start(desk)
    await desk.commerce.reject(actor=desk.pulled.actor, query=ChangeQuery(batch_id=batch.id))
    await desk.pulled.work()
    assert {change.status for change in await desk.changes(batch)} == {"rejected"}
    assert await desk.ledger() == []


async def test_unknown_run_is_named(desk: Any) -> None:
    stray = new_id()
    with pytest.raises(RunNotFound, match=str(stray)):
        await desk.commerce.get_push(actor=desk.pulled.actor, run_id=stray)


async def test_refusal_of_the_shop_stands_in_change_and_receipt(desk: Any) -> None:
    batch = await desk.staged("vendor:Acme", "price=25")
    door = desk.pulled.shop.door
    door.hold("UpdateVariants")
    pushing = asyncio.create_task(desk.push())
    await door.wait()
    desk.store.delete_variant(desk.variant("SHIRT-S"))
    door.open()
    run = await pushing
    assert run.counts == {"applied": 1, "failed": 1}
    (refused,) = [change for change in await desk.changes(batch) if change.status == "failed"]
    (receipt,) = [one for one in await desk.receipts(batch) if one.change_id == refused.id]
    assert (receipt.outcome, receipt.after) == ("refused", {})
    assert receipt.vendor_code == "PRODUCT_VARIANT_DOES_NOT_EXIST"
    assert refused.sentence == receipt.sentence == "Product variant does not exist"
