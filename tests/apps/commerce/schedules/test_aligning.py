"""Two stores that are kept in step: each time what differs is staged, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus, NothingToDo, PullMode, StoreNotFound
from syncline.apps.commerce.schedule_contract import Schedule, ScheduledAction, ScheduleExists
from syncline.apps.commerce.schedules import jobs
from syncline.apps.commerce.schedules.aligning import ALIGN_JOB
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.main.testing.lines import load_catalog

HOUR = {"hours": 1}


class Stores:
    """The connected store `demo`, and a second one, `main`, with one variant of the same SKU at another price."""

    def __init__(self, ticking: Any) -> None:
        self.ticking = ticking

    async def add(self, *fields: str, **more: Any) -> Schedule:
        made: Schedule = await self.ticking.commerce.schedule_alignment(
            actor=self.ticking.actor,
            **{"source": "main", "target": "demo", "fields": fields or ["price"], "timing": "every 1h", **more},
        )
        return made

    async def set_price(self, store: str, price: str) -> None:
        await self._set(store, "price", price)

    async def set_barcode(self, store: str, barcode: str) -> None:
        await self._set(store, "barcode", barcode)

    async def _set(self, store: str, column: str, value: str) -> None:
        """As a pull would leave the mirror."""
        async with self.ticking.runtime.database.writing(self.ticking.actor.tenant_id) as session:
            statement = (
                f"UPDATE commerce.variant v SET {column} = :value FROM commerce.store s"
                " WHERE s.id = v.store_id AND s.name = :store AND v.sku = 'SHIRT-S'"
            )
            await session.execute(text(statement), {"value": value, "store": store})

    async def staged(self) -> list[tuple[str, Any]]:
        """Newest last."""
        page = await self.ticking.commerce.list_changes(
            actor=self.ticking.actor, query=ChangeQuery(store="demo"), page=PageRequest(limit=100)
        )
        return [(one.status.value, one.after["price"]) for one in page.items]

    async def comes_round(self) -> Any:
        await self.ticking.after(**HOUR)
        await self.ticking.work()
        return (await self.ticking.only()).last_run


ANOTHER = """
    INSERT INTO commerce.store SELECT (jsonb_populate_record(s, jsonb_build_object(
        'id', cast(:id AS text), 'name', 'main', 'shop_domain', 'main-goods.myshopify.com'))).*
    FROM commerce.store s WHERE s.name = 'demo'
"""


@pytest.fixture
async def stores(ticking: Any, product_line: Callable[..., bytes], variant_line: Callable[..., bytes]) -> Stores:
    await ticking.commerce.start_pull(actor=ticking.actor, store="demo", mode=PullMode.FULL)
    await ticking.work()
    lines = [product_line(1, handle="shirt"), variant_line(11, product=1, sku="SHIRT-S", price="20.00")]
    main = new_id()
    async with ticking.runtime.database.writing(ticking.actor.tenant_id) as session:
        await session.execute(text(ANOTHER), {"id": str(main)})
        await load_catalog(session, main, lines, read_from=clock.now())
    made = Stores(ticking)
    await made.set_price("demo", "15.00")
    return made


async def test_what_differs_is_staged_once_while_it_waits(stores: Stores) -> None:
    made = await stores.add()
    assert (made.store, made.action, made.alignment.source) == ("demo", ScheduledAction.ALIGN, "main")  # type: ignore[union-attr]
    first = await stores.comes_round()
    assert (first.status, await stores.staged()) == ("completed", [("pending", "20.00")])
    assert "1 change waits for review on demo" in first.sentence
    again = await stores.comes_round()
    assert (again.status, again.run_id, await stores.staged()) == ("completed", None, [("pending", "20.00")])
    assert "Nothing to stage" in again.sentence
    assert "1 staged before" in again.sentence


async def test_nothing_to_do_stages_no_batch(stores: Stores) -> None:
    await stores.set_price("demo", "20.00")
    await stores.add()
    ended = await stores.comes_round()
    assert (ended.status, ended.run_id) == ("completed", None)
    batches = await stores.ticking.commerce.list_batches(actor=stores.ticking.actor, store="demo", page=PageRequest())
    assert batches.items == []


async def test_a_source_that_moved_on_takes_the_place_of_what_waits(stores: Stores) -> None:
    await stores.add()
    await stores.comes_round()
    await stores.set_price("main", "22.00")
    await stores.comes_round()
    assert await stores.staged() == [("skipped", "20.00"), ("pending", "22.00")]
    await stores.set_price("main", "20.00")
    await stores.comes_round()
    assert (await stores.staged())[-1] == ("pending", "20.00")


async def test_what_is_approved_and_not_sent_is_not_sent_when_the_source_moves(stores: Stores) -> None:
    await stores.add()
    await stores.comes_round()
    commerce, actor = stores.ticking.commerce, stores.ticking.actor
    await commerce.approve(actor=actor, query=ChangeQuery(store="demo"))
    await stores.set_price("main", "22.00")
    moved = await stores.comes_round()
    assert await stores.staged() == [("skipped", "20.00"), ("pending", "22.00")]
    assert "1 not sent, for the source has other values by now" in moved.sentence
    page = await commerce.list_changes(
        actor=actor, query=ChangeQuery(statuses=(ChangeStatus.SKIPPED,)), page=PageRequest()
    )
    assert "another value by now" in (page.items[0].note or "")
    with pytest.raises(NothingToDo):
        await commerce.start_push(actor=actor, store="demo")


async def test_what_waits_is_not_sent_when_the_source_comes_back(stores: Stores) -> None:
    """The stores are alike again, and no change is needed."""
    await stores.add()
    await stores.comes_round()
    await stores.set_price("main", "15.00")
    back = await stores.comes_round()
    assert await stores.staged() == [("skipped", "20.00")]
    assert "Nothing to stage" in back.sentence
    assert "1 not sent" in back.sentence


async def test_a_change_of_more_fields_stays_and_is_named(stores: Stores) -> None:
    commerce, actor = stores.ticking.commerce, stores.ticking.actor
    await stores.set_barcode("main", "4711")
    await commerce.align_stores(actor=actor, source="main", target="demo", fields=["price", "barcode"])
    await stores.set_price("main", "22.00")
    again = await commerce.align_stores(actor=actor, source="main", target="demo", fields=["price"])
    assert (again.staged, again.replaced) == (1, 0)
    assert "more than is copied here" in " ".join(again.problems)
    whole = await commerce.align_stores(actor=actor, source="main", target="demo", fields=["price", "barcode"])
    assert (whole.replaced, whole.staged) == (1, 1)
    assert "more than is copied" not in " ".join(whole.problems)


async def test_what_was_rejected_comes_again_only_when_a_store_moves(stores: Stores) -> None:
    await stores.add()
    await stores.comes_round()
    commerce, actor = stores.ticking.commerce, stores.ticking.actor
    await commerce.reject(actor=actor, query=ChangeQuery(store="demo"), note="no")
    await stores.comes_round()
    assert await stores.staged() == [("rejected", "20.00")]
    await stores.set_price("demo", "16.00")
    await stores.comes_round()
    assert [status for status, _ in await stores.staged()] == ["rejected", "pending"]
    by_hand = await commerce.align_stores(actor=actor, source="main", target="demo", fields=["price"])
    assert (by_hand.staged, by_hand.waiting) == (0, 1)


async def test_a_job_that_runs_twice_and_at_once_stages_once(stores: Stores) -> None:
    await stores.add()
    await stores.ticking.after(**HOUR)
    (one,) = stores.ticking.take(ALIGN_JOB)
    work = [jobs.align(stores.ticking.context(one.tenant), one.payload) for _ in range(4)]
    await asyncio.gather(*work)
    await jobs.align(stores.ticking.context(one.tenant), one.payload)
    assert await stores.staged() == [("pending", "20.00")]


@pytest.mark.parametrize("pulled", ["main", "demo"])
async def test_it_waits_for_a_pull_of_either_store(stores: Stores, pulled: str) -> None:
    await stores.add()
    mode = PullMode.INCREMENTAL
    await stores.ticking.commerce.start_pull(actor=stores.ticking.actor, store=pulled, mode=mode)
    await stores.ticking.after(**HOUR)
    waiting = await stores.ticking.only()
    assert (waiting.last_run, stores.ticking.take(ALIGN_JOB)) == (None, [])


async def test_what_can_no_longer_be_copied_is_a_failed_run_with_its_sentence(stores: Stores) -> None:
    await stores.add()
    async with stores.ticking.runtime.database.writing(stores.ticking.actor.tenant_id) as session:
        await session.execute(text("UPDATE commerce.store SET currency = 'SEK' WHERE name = 'main'"))
    ended = await stores.comes_round()
    assert ended.status == "failed"
    assert "main has amounts in SEK" in ended.sentence
    assert await stores.staged() == []


async def test_by_hand_it_is_staged_by_whoever_ran_it(stores: Stores) -> None:
    made = await stores.add()
    ticking = stores.ticking
    await ticking.commerce.run_schedule(actor=ticking.actor, schedule_id=made.id)
    await ticking.work()
    page = await ticking.commerce.list_changes(
        actor=ticking.actor, query=ChangeQuery(statuses=(ChangeStatus.PENDING,)), page=PageRequest()
    )
    assert [one.author for one in page.items] == [ticking.actor.name]


async def test_what_cannot_be_scheduled_is_refused(stores: Stores) -> None:
    made = await stores.add()
    with pytest.raises(ScheduleExists):
        await stores.add()
    await stores.add("title")
    with pytest.raises(InvalidInput, match="same store twice"):
        await stores.add(source="demo")
    with pytest.raises(InvalidInput, match="The SKU cannot be copied"):
        await stores.add("sku")
    with pytest.raises(StoreNotFound):
        await stores.add(source="boat")
    ticking = stores.ticking
    with pytest.raises(InvalidInput, match="which store demo is to be aligned with"):
        await ticking.add("every 2h", ScheduledAction.ALIGN)
    with pytest.raises(InvalidInput, match="a schedule of its own"):
        await ticking.commerce.change_schedule(actor=ticking.actor, schedule_id=made.id, action=ScheduledAction.PULL)


async def test_it_goes_with_its_source(stores: Stores) -> None:
    await stores.add()
    removed = await stores.ticking.commerce.remove_store(actor=stores.ticking.actor, store="main")
    assert removed.schedules == 1
    assert await stores.ticking.commerce.list_schedules(actor=stores.ticking.actor) == []
