"""Counts of staged changes are kept, and are what counting the changes would give, whatever has happened."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from syncline.apps.commerce.contract import ChangeNotReviewable, ChangeQuery, StoreNotFound
from syncline.apps.commerce.contract.decisions import CountBy
from syncline.apps.commerce.staging.models import change_tally, staged_change
from syncline.kernel.errors import Unavailable
from syncline.kernel.tenant import Actor


async def tallied(table: Any) -> int:
    query = select(func.count()).select_from(change_tally).where(change_tally.c.tenant_id == table.actor.tenant_id)
    async with table.database.reading(table.actor.tenant_id) as session:
        return int((await session.execute(query)).scalar_one())


async def test_by_store_kind_vendor_and_status(table: Any) -> None:
    await table.stage(3)
    mugs = await table.stage(2, "mug")
    await table.approve(batch_id=mugs)
    found = await table.counts(CountBy.VENDOR, CountBy.STATUS)
    assert [(one.vendor, one.status, one.changes, one.kind) for one in found.groups] == [
        ("Acme", "pending", 3, None),
        ("Globex", "approved", 2, None),
    ]
    assert found.total == 5
    assert (await table.counts(CountBy.KIND)).groups[0].kind == "variant"
    assert (await table.counts(CountBy.STATUS, statuses=("approved",))).total == 2
    assert (await table.counts(CountBy.STORE, store="demo")).groups[0].store == "demo"
    with pytest.raises(StoreNotFound):
        await table.counts(store="nope")


async def test_a_product_that_changes_its_vendor_moves_no_count(table: Any) -> None:
    await table.stage(2)
    shop = table.pulled.shop.store
    shop.update_product(shop.find_product_by_handle("linen-shirt"), vendor="Other")
    await table.pulled.pull()
    await table.approve(search="-vendor:Acme")
    assert await table.counted() == {("demo", "variant", "Acme", "approved"): 2}


async def test_exact_after_many_at_once_some_of_whom_break_off(table: Any) -> None:
    """Staging, approving, rejecting and folding beside each other; half of what is begun is undone by an error, and one
    connection is cut in the middle of its transaction."""
    ready = [await table.stage(40, handle) for handle in ("linen-shirt", "mug") for _ in range(3)]

    async def breaks_off() -> None:
        async with table.database.writing(table.actor.tenant_id) as session:
            batch = await table.stage_in(session, 25)
            await session.execute(
                update(staged_change).where(staged_change.c.batch_id == batch).values(status="rejected")
            )
            raise ValueError

    async def is_cut() -> None:
        async with table.database.writing(table.actor.tenant_id) as session:
            await table.stage_in(session, 25, "mug")
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    done = await asyncio.gather(
        *(table.stage(30, handle) for handle in ("linen-shirt", "mug", "wool-hat")),
        *(table.approve(batch_id=batch) for batch in ready for _ in range(2)),
        *(table.commerce.reject(actor=table.actor, query=ChangeQuery(batch_id=batch)) for batch in ready[::2]),
        *(table.fold() for _ in range(4)),
        *(breaks_off() for _ in range(3)),
        is_cut(),
        return_exceptions=True,
    )
    kinds = {type(one).__mro__ for one in done if isinstance(one, BaseException)}
    assert all({ValueError, ChangeNotReviewable, Unavailable} & set(kind) for kind in kinds)
    assert await table.counted() == await table.looked_at()
    await table.fold()
    assert await table.counted() == await table.looked_at()
    assert (await table.counts()).total == 6 * 40 + 3 * 30


async def test_folding_keeps_the_counts_and_few_rows(table: Any) -> None:
    batches = [await table.stage(1) for _ in range(30)]
    for batch in batches:
        await table.approve(batch_id=batch)
    before = await table.counted()
    await table.fold()
    assert await tallied(table) == 2  # pending, of which there are none left, and approved
    assert await table.counted() == before == {("demo", "variant", "Acme", "approved"): 30}
    await table.fold()
    assert await tallied(table) == 2


async def test_two_fold_at_once_and_one_leaves_it_to_the_other(table: Any) -> None:
    for _ in range(5):
        await table.stage(1)
    await asyncio.gather(*(table.fold() for _ in range(6)))
    assert (await table.counts()).total == 5


async def test_what_a_push_does_is_counted(table: Any) -> None:
    batch = await table.commerce.stage_edit(actor=table.actor, store="demo", where="", edits=["price=+1"])
    await table.approve(batch_id=batch.id)
    await table.pulled.push()
    assert await table.counted() == await table.looked_at()
    assert {key[-1]: count for key, count in (await table.counted()).items()}["applied"] > 0


async def test_other_tenant_and_removed_store_are_not_counted(table: Any, stranger: Actor) -> None:
    await table.stage(2)
    assert (await table.commerce.count_changes(actor=stranger)).total == 0
    await table.commerce.remove_store(actor=table.actor, store="demo")
    assert (await table.counts()).total == 0
    await table.pulled.work()
    assert await tallied(table) == 0
