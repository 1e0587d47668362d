"""A selection is what matched when it was made, for one or many who decide."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from syncline.apps.commerce.contract import (
    BatchNotFound,
    ChangeNotReviewable,
    ChangeQuery,
    ChangesAssigned,
    ChangeStatus,
    NothingToDo,
)
from syncline.apps.commerce.contract.decisions import AssigneeRefused, SelectionNotFound
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor
from syncline.runtime.bus.testing import published


async def select(table: Any, **query: Any) -> Any:
    return await table.commerce.select_changes(actor=table.actor, query=ChangeQuery(**query))


async def test_what_is_staged_later_or_comes_to_match_later_is_not_in_it(table: Any) -> None:
    await table.stage(3)
    mugs = await table.stage(2, "mug")
    chosen = await select(table, search="vendor:Acme", statuses=(ChangeStatus.PENDING,))
    later = await table.stage(4)
    shop = table.pulled.shop.store
    shop.update_product(shop.find_product_by_handle("mug"), vendor="Acme")
    await table.pulled.pull()
    assert (chosen.changes, chosen.counts, chosen.search) == (3, {"pending": 3}, "status:pending vendor:Acme")
    assert len(await table.changes(selection_id=chosen.id)) == 3
    assert await table.approve(selection_id=chosen.id) == 3
    left = {change.batch_id: change.status for change in await table.changes(statuses=(ChangeStatus.PENDING,))}
    assert left == {mugs: ChangeStatus.PENDING, later: ChangeStatus.PENDING}
    again = await table.commerce.get_selection(actor=table.actor, selection_id=chosen.id)
    assert (again.changes, again.counts) == (3, {"approved": 3})


async def test_it_goes_with_the_other_conditions(table: Any) -> None:
    await table.stage(3)
    chosen = await select(table, store="demo")
    first = (await table.changes())[0]
    assert await table.approve(selection_id=chosen.id, ids=(first.id,)) == 1
    narrower = await select(table, selection_id=chosen.id, statuses=(ChangeStatus.APPROVED,))
    assert narrower.changes == 1


async def test_an_empty_one_moves_nothing(table: Any) -> None:
    chosen = await select(table, search="field:title")
    assert (chosen.changes, chosen.counts) == (0, {})
    with pytest.raises(ChangeNotReviewable, match="No staged change matches"):
        await table.approve(selection_id=chosen.id)


async def test_after_a_day_and_for_others_there_is_none(table: Any, stranger: Actor) -> None:
    await table.stage(1)
    chosen = await select(table, store="demo")
    for wrong in ({"actor": stranger}, {"selection_id": new_id()}):
        with pytest.raises(SelectionNotFound, match="make it again"):
            await table.commerce.get_selection(**{"actor": table.actor, "selection_id": chosen.id, **wrong})
    with pytest.raises(SelectionNotFound):
        await table.commerce.approve(actor=stranger, query=ChangeQuery(selection_id=chosen.id))
    with clock.frozen(clock.now() + timedelta(days=1, seconds=1)), pytest.raises(SelectionNotFound):
        await table.approve(selection_id=chosen.id)
    assert await table.approve(selection_id=chosen.id) == 1


async def test_many_who_decide_at_once_decide_each_change_once(table: Any) -> None:
    """Ten approve the same 400 changes, by selection, batch and search, in different orders of arrival."""
    batches = [await table.stage(200), await table.stage(200, "mug")]
    chosen = await select(table, store="demo")
    ways = [{"selection_id": chosen.id}, *({"batch_id": batch} for batch in batches), {"search": "field:price"}]
    done = await asyncio.gather(
        *(table.approve(by=f"approver {number}", note=f"by {number}", **ways[number % 4]) for number in range(10)),
        return_exceptions=True,
    )
    moved = {f"approver {number}": one for number, one in enumerate(done) if isinstance(one, int)}
    assert {type(one) for one in done} <= {int, ChangeNotReviewable}
    assert sum(moved.values()) == 400
    assert Counter(change.reviewer for change in await table.changes()) == moved
    notes = [
        await table.commerce.list_notes(actor=table.actor, change_id=change.id)
        for change in (await table.changes())[::40]
    ]
    assert {len(one) for one in notes} == {1}


async def test_notes_are_kept_with_who_said_them(table: Any) -> None:
    batch = await table.stage(2, note="new prices")
    change = (await table.changes())[0]
    assert (
        await table.commerce.add_note(actor=table.named("eve"), query=ChangeQuery(ids=(change.id,)), text=" why? ") == 1
    )
    await table.approve(batch_id=batch, note="agreed")
    await table.commerce.reject(actor=table.named("bob"), query=ChangeQuery(ids=(change.id,)), note="too high")
    said = await table.commerce.list_notes(actor=table.actor, change_id=change.id)
    assert sorted((one.author, one.text) for one in said) == [
        ("ada", "new prices"),
        ("bob", "too high"),
        ("eve", "why?"),
        ("grace", "agreed"),
    ]
    assert [one.created_at for one in said] == sorted(one.created_at for one in said)
    assert (await table.changes(ids=(change.id,)))[0].note == "too high"


async def test_what_its_author_said_is_there_before_anybody_else_speaks(table: Any, stranger: Actor) -> None:
    await table.stage(1, note="new prices")
    await table.stage(1, "mug")
    shirt, mug = await table.changes()
    notes = table.commerce.list_notes
    assert [one.text for one in await notes(actor=table.actor, change_id=shirt.id)] == ["new prices"]
    assert await notes(actor=table.actor, change_id=mug.id) == []
    with pytest.raises(BatchNotFound):
        await notes(actor=stranger, change_id=shirt.id)


async def test_a_note_that_cannot_be(table: Any, stranger: Actor) -> None:
    batch = await table.stage(1)
    for text in ("", "  ", "x" * 2_001):
        with pytest.raises(InvalidInput, match="between 1 and"):
            await table.commerce.add_note(actor=table.actor, query=ChangeQuery(batch_id=batch), text=text)
    with pytest.raises(NothingToDo):
        await table.commerce.add_note(actor=table.actor, query=ChangeQuery(ids=(new_id(),)), text="hm")
    with pytest.raises(BatchNotFound):
        await table.commerce.add_note(actor=stranger, query=ChangeQuery(batch_id=batch), text="hm")


async def test_assigned_found_and_given_back(table: Any) -> None:
    batch = await table.stage(3)
    query = ChangeQuery(batch_id=batch)
    assert await table.commerce.assign(actor=table.actor, query=query, assignee=" Grace@Example.com ") == 3
    assert {change.assignee for change in await table.changes(search="assignee:grace*")} == {"Grace"}
    async with table.commerce.runtime.database.reading(table.actor.tenant_id) as session:
        (asked,) = await published(session, ChangesAssigned)
    assert (asked.assignee, asked.changes, asked.asked_by) == ("Grace", 3, table.actor.name)
    first = (await table.changes())[0]
    await table.commerce.assign(actor=table.actor, query=ChangeQuery(ids=(first.id,)), assignee=None)
    assert [change.id for change in await table.changes(search="assignee:none")] == [first.id]
    assert await table.approve(by="somebody else", batch_id=batch) == 3
    with pytest.raises(ChangeNotReviewable, match="can be assigned: it is 3 approved"):
        await table.commerce.assign(actor=table.actor, query=query, assignee="grace@example.com")


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("nobody@example.com", "belongs to this tenant"),
        ("eve@example.com", "has the role viewer, which may not approve"),
        ("gone@example.com", "belongs to this tenant"),
    ],
)
async def test_only_a_member_who_may_approve_is_asked(table: Any, email: str, sentence: str) -> None:
    batch = await table.stage(1)
    with pytest.raises(AssigneeRefused, match=sentence):
        await table.commerce.assign(actor=table.actor, query=ChangeQuery(batch_id=batch), assignee=email)
    assert (await table.changes())[0].assignee is None


async def test_in_another_tenant_nobody_is_asked_and_nothing_told(table: Any, stranger: Actor) -> None:
    batch = await table.stage(1)
    with pytest.raises(BatchNotFound):
        await table.commerce.assign(actor=stranger, query=ChangeQuery(batch_id=batch), assignee="grace@example.com")
