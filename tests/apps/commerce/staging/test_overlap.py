"""The same change staged twice waits once; rivals of what waits are named. Over the service, a sheet and a rollback."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from syncline.apps.commerce.batch import sweep
from syncline.apps.commerce.batch_contract import BatchOperation, BatchRequest
from syncline.apps.commerce.contract import (
    ChangeBatch,
    ChangeQuery,
    ChangeStatus,
    ImportResult,
    NothingToDo,
    Overlap,
    StagedChange,
    StoreReview,
)
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.staging.overlap import Met, Waiting, meet
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest

ALL = PageRequest(limit=100)


@dataclass
class Desk:
    pulled: Any
    folder: Path

    @property
    def commerce(self) -> Any:
        return self.pulled.commerce

    async def stage(self, where: str, *edits: str) -> ChangeBatch:
        made: ChangeBatch = await self.commerce.stage_edit(
            actor=self.pulled.actor, store="demo", where=where, edits=edits
        )
        return made

    async def take(self, sheet: str) -> ImportResult:
        path = self.folder / "sheet.csv"
        path.write_text(sheet, encoding="utf-8")
        result: ImportResult = await self.commerce.import_sheet(actor=self.pulled.actor, store="demo", path=str(path))
        return result

    async def approve(self, batch: ChangeBatch) -> None:
        await self.commerce.approve(actor=self.pulled.actor, query=ChangeQuery(batch_id=batch.id))

    async def changes(self, **query: Any) -> Sequence[StagedChange]:
        found = await self.commerce.list_changes(actor=self.pulled.actor, query=ChangeQuery(**query), page=ALL)
        items: Sequence[StagedChange] = found.items
        return items

    async def batches(self) -> int:
        found = await self.commerce.list_batches(actor=self.pulled.actor, store="demo", page=ALL)
        return int(found.total)


@pytest.fixture
def desk(pulled: Any, tmp_path: Path) -> Desk:
    return Desk(pulled, tmp_path)


def waiting(before: Any, after: Any) -> tuple[UUID, Waiting]:
    batch_id = new_id()
    return batch_id, Waiting(new_id(), batch_id, before, after)


def test_the_same_step_from_the_same_value_is_known() -> None:
    batch_id, one = waiting({"price": "10.00"}, {"price": "12.50", "cost": "1.00"})
    met = meet({"price": "10.0"}, {"price": "12.5"}, [one])
    assert (met.known, met.rivals) == ({"price": batch_id}, frozenset())


def test_another_value_or_another_start_is_a_rival() -> None:
    first_id, first = waiting({"price": "10.00"}, {"price": "13.00"})
    second_id, second = waiting({"price": "9.00"}, {"price": "12.50"})
    met = meet({"price": "10.00"}, {"price": "12.50"}, [first, second])
    assert met == Met({}, frozenset({first_id, second_id}))
    assert meet({"title": "A"}, {"title": "B"}, [first, second]).rivals == frozenset()


async def test_the_same_edit_waits_once(desk: Desk) -> None:
    first = await desk.stage("vendor:Acme", "price=25")
    with pytest.raises(NothingToDo, match=f"2 already waiting with the same value, in batch {first.id}"):
        await desk.stage("sku:SHIRT-S,SHIRT-M", "price=25.00")
    await desk.approve(first)
    with pytest.raises(NothingToDo, match="2 already waiting"):
        await desk.stage("vendor:Acme", "price=25")
    assert (len(await desk.changes()), await desk.batches()) == (2, 1)


async def test_of_more_records_and_fields_only_the_rest_is_staged(desk: Desk) -> None:
    first = await desk.stage("sku:SHIRT-S", "price=25")
    second = await desk.stage("vendor:Acme", "price=25", "barcode=1234")
    assert second.overlap == Overlap(waiting=1, waiting_in=(first.id,))
    staged = {change.label: change.after for change in await desk.changes(batch_id=second.id)}
    assert staged == {
        "Linen Shirt / S [SHIRT-S]": {"barcode": "1234"},
        "Linen Shirt / M [SHIRT-M]": {"barcode": "1234", "price": "25.00"},
    }


async def test_another_value_is_staged_beside_and_named_and_conflicts_when_both_are_pushed(desk: Desk) -> None:
    first = await desk.stage("sku:SHIRT-S", "price=25")
    second = await desk.stage("sku:SHIRT-S", "price=26")
    assert second.overlap == Overlap(rivals=1, rivals_in=(first.id,))
    await desk.approve(first)
    await desk.approve(second)
    run = await desk.pulled.push()
    assert run.counts == {ChangeStatus.APPLIED: 1, ChangeStatus.CONFLICT: 1}
    assert desk.pulled.shop.variant("SHIRT-S").price == "25.00"


@pytest.mark.parametrize("how", ["rejected", "expired", "moved"])
async def test_what_no_longer_waits_so_is_staged_again(desk: Desk, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await desk.stage("sku:SHIRT-S", "price=25")
    query, now = ChangeQuery(batch_id=first.id), clock.now()

    async def reject() -> None:
        await desk.commerce.reject(actor=desk.pulled.actor, query=query)

    async def expire() -> None:
        await desk.commerce.set_expiry(actor=desk.pulled.actor, query=query, at=now + timedelta(hours=1))
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=2))

    async def move() -> None:
        desk.pulled.shop.store.update_variant(desk.pulled.shop.variant("SHIRT-S"), price="21.00")
        await desk.pulled.pull()

    await {"rejected": reject, "expired": expire, "moved": move}[how]()
    again = await desk.stage("sku:SHIRT-S", "price=25")
    assert (again.counts, again.overlap.waiting if again.overlap else None) == ({"pending": 1}, 0)


async def test_a_sheet_taken_twice_waits_once_with_its_images(desk: Desk) -> None:
    sheet = "Handle,Variant Price,Image Src\nmug,12.34,https://supplier.example/front.jpg\n"
    first = await desk.take(sheet)
    assert (first.staged, first.overlap) == (2, Overlap())
    again = await desk.take(sheet)
    assert (again.staged, again.batch, again.overlap) == (0, None, Overlap(waiting=2, waiting_in=(first.batch.id,)))  # type: ignore[union-attr]
    third = await desk.take(sheet + "mug,,https://supplier.example/side.jpg\n")
    assert (third.staged, third.overlap.waiting, third.overlap.rivals) == (1, 2, 0)
    assert (len(await desk.changes()), await desk.batches()) == (3, 2)


async def test_an_export_with_changes_waiting_comes_back_without_one(desk: Desk) -> None:
    await desk.stage("", "price=+1")
    path = desk.folder / "export.csv"
    with path.open("wb") as file:
        await desk.commerce.export_store(actor=desk.pulled.actor, store="demo", file=file, format="csv")
    result = await desk.commerce.import_sheet(actor=desk.pulled.actor, store="demo", path=str(path))
    assert (result.staged, result.batch, result.overlap) == (0, None, Overlap())


async def test_the_same_rollback_and_the_same_deletion_wait_once(desk: Desk) -> None:
    batch = await desk.stage("sku:SHIRT-S", "price=25")
    await desk.approve(batch)
    await desk.pulled.push()
    undo = await desk.commerce.stage_rollback(actor=desk.pulled.actor, batch_id=batch.id)
    with pytest.raises(NothingToDo, match=str(undo.id)):
        await desk.commerce.stage_rollback(actor=desk.pulled.actor, batch_id=batch.id)
    gone = await desk.commerce.stage_deletion(actor=desk.pulled.actor, store="demo", where="handle:mug")
    with pytest.raises(NothingToDo, match=str(gone.id)):
        await desk.commerce.stage_deletion(actor=desk.pulled.actor, store="demo", where="handle:mug")
    assert await desk.batches() == 3


async def test_people_who_stage_the_same_at_once_make_it_once(desk: Desk) -> None:
    done = await asyncio.gather(*(desk.stage("", "price=99") for _ in range(4)), return_exceptions=True)
    made = [one for one in done if isinstance(one, ChangeBatch)]
    refused = [one for one in done if isinstance(one, NothingToDo)]
    assert (len(made), len(refused)) == (1, 3)
    assert len(await desk.changes()) == len({change.resource_id for change in await desk.changes()})


async def test_what_is_staged_while_a_bulk_operation_runs_is_not_staged_by_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looked before the other had committed."""

    async def nothing_yet(*_: object) -> list[Any]:
        return []

    monkeypatch.setattr(sweep, "list_waiting", nothing_yet)
    edited = await desk.stage("vendor:Acme", "price=+1")
    for where, counts in (("vendor:Acme", (0, 1, None)), ("", (2, 1, edited.id))):
        request = BatchRequest(
            store="demo", operation=BatchOperation("price"), updates={"price": {"amount": 1}}, where=where
        )
        run = await desk.commerce.start_batch(actor=desk.pulled.actor, request=request)
        await desk.pulled.work()
        done = await desk.commerce.get_batch_results(actor=desk.pulled.actor, run_id=run.id, page=ALL)
        (part,) = done.parts
        assert (done.run.staged, done.run.waiting) == (part.staged, part.waiting) == counts[:2]
        assert (part.batch_id is None) is (counts[2] is None)
    assert len(await desk.changes()) == 4


async def test_what_was_changed_in_the_store_is_not_what_waits_here(desk: Desk) -> None:
    await desk.commerce.set_store_review(actor=desk.pulled.actor, store="demo", review=StoreReview.INBOUND)
    desk.pulled.shop.store.update_variant(desk.pulled.shop.variant("SHIRT-S"), price="25.00")
    await desk.pulled.pull()
    staged = await desk.stage("sku:SHIRT-S", "price=26")
    assert staged.overlap == Overlap()


FRONT = "https://supplier.example/front.jpg"


async def images_of(desk: Desk) -> list[tuple[str, str]]:
    """What is waiting to be added, with its text."""
    found = await desk.changes(statuses=(ChangeStatus.PENDING, ChangeStatus.APPROVED))
    return [(one.after["images"]["url"], one.after["images"]["alt"]) for one in found if "images" in one.after]


@pytest.mark.parametrize("status", ["pending", "approved"])
async def test_an_address_staged_twice_is_one_image_with_the_newer_text(desk: Desk, status: str) -> None:
    first = await desk.stage("handle:mug", f"images=+{FRONT} A mug")
    async with desk.commerce.runtime.database.writing(desk.pulled.actor.tenant_id) as session:
        mine = update(staged_change).where(staged_change.c.batch_id == first.id)
        await session.execute(mine.values(status=status))
    second = await desk.stage("handle:mug", f"images=+{FRONT}?v=2 A blue mug")
    assert second.overlap == Overlap(replaced=1)
    assert await images_of(desk) == [(f"{FRONT}?v=2", "A blue mug")]
    (given_up,) = await desk.changes(batch_id=first.id)
    assert (given_up.status, str(second.id) in str(given_up.note)) == (ChangeStatus.SKIPPED, True)
    await desk.approve(second)
    await desk.pulled.push()
    store = desk.pulled.shop.store
    (mug,) = [one for one in store.products.values() if one.handle == "mug"]
    assert [str(one.alt) for one in store.media.shown_by(mug.id)] == ["A blue mug"]


async def test_the_first_text_may_be_wanted_again(desk: Desk) -> None:
    await desk.stage("handle:mug", f"images=+{FRONT} A mug")
    await desk.stage("handle:mug", f"images=+{FRONT} A blue mug")
    third = await desk.stage("handle:mug", f"images=+{FRONT} A mug")
    assert third.overlap == Overlap(replaced=1)
    assert await images_of(desk) == [(FRONT, "A mug")]


async def test_the_same_address_at_another_product_and_another_address_here_stay(desk: Desk) -> None:
    await desk.stage("handle:mug", f"images=+{FRONT} A mug")
    other = await desk.stage("handle:linen-shirt", f"images=+{FRONT} A shirt")
    more = await desk.stage("handle:mug", "images=+https://supplier.example/side.jpg A mug")
    assert (other.overlap, more.overlap) == (Overlap(), Overlap())
    assert len(await images_of(desk)) == 3


async def test_one_that_is_on_its_way_is_a_rival(desk: Desk) -> None:
    first = await desk.stage("handle:mug", f"images=+{FRONT} A mug")
    async with desk.commerce.runtime.database.writing(desk.pulled.actor.tenant_id) as session:
        mine = update(staged_change).where(staged_change.c.batch_id == first.id)
        await session.execute(mine.values(status="sending"))
    second = await desk.stage("handle:mug", f"images=+{FRONT} A blue mug")
    assert second.overlap == Overlap(rivals=1, rivals_in=(first.id,))


async def test_a_sheet_with_another_text_replaces_what_waits(desk: Desk) -> None:
    sheet = f"Handle,Image Src,Image Alt Text\nmug,{FRONT},A mug\n"
    await desk.take(sheet)
    again = await desk.take(sheet.replace("A mug", "A blue mug"))
    assert (again.staged, again.overlap.replaced) == (1, 1)
    assert await images_of(desk) == [(FRONT, "A blue mug")]


async def _changed_in_the_store(desk: Desk, price: str) -> StagedChange:
    desk.pulled.shop.store.update_variant(desk.pulled.shop.variant("SHIRT-S"), price=price)
    await desk.pulled.pull()
    inbound = [one for one in await desk.changes(statuses=(ChangeStatus.PENDING,)) if one.after == {"price": price}]
    return inbound[-1]


async def test_what_is_put_back_and_waits_already_waits_once(desk: Desk) -> None:
    await desk.commerce.set_store_review(actor=desk.pulled.actor, store="demo", review=StoreReview.INBOUND)
    inbound = await _changed_in_the_store(desk, "25.00")
    by_hand = await desk.stage("sku:SHIRT-S", f"price={inbound.before['price']}")
    query = ChangeQuery(ids=(inbound.id,))
    done = await desk.commerce.reject(actor=desk.pulled.actor, query=query)
    assert done.put_back == [by_hand.id]
    waiting_now = await desk.changes(statuses=(ChangeStatus.PENDING,))
    assert [one.batch_id for one in waiting_now] == [by_hand.id]


async def test_what_is_put_back_in_part_is_staged_for_the_rest(desk: Desk) -> None:
    await desk.commerce.set_store_review(actor=desk.pulled.actor, store="demo", review=StoreReview.INBOUND)
    inbound = await _changed_in_the_store(desk, "25.00")
    rival = await desk.stage("sku:SHIRT-S", "price=31")
    done = await desk.commerce.reject(actor=desk.pulled.actor, query=ChangeQuery(ids=(inbound.id,)))
    (made,) = done.put_back
    assert made != rival.id
    assert [one.after for one in await desk.changes(batch_id=made)] == [inbound.before]
