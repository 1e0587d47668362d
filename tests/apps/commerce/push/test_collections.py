"""Collections and what they hold: staged, reviewed, pushed, undone; those that fill themselves are left alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from syncline.apps.commerce.contract import ChangeStatus, NothingToDo, PullMode, Resolution, StoreNotFound
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import Actor
from syncline.sandbox.shopify.entities_content import Rule, RuleSet


@pytest.fixture
async def shelf(desk: Any) -> Any:
    """Summer holds the shirt, winter the hat; sale fills itself with what is by Globex."""
    make = desk.store.collections.create
    make(title="Summer", handle="summer", product_ids=[desk.product("linen-shirt").id])
    make(title="Winter", handle="winter", product_ids=[desk.product("wool-hat").id])
    make(title="Sale", handle="sale", rules=RuleSet((Rule("VENDOR", "EQUALS", "Globex"),), disjunctive=False))
    await desk.pulled.pull(PullMode.INCREMENTAL)
    return desk


def collection(desk: Any, handle: str) -> Any:
    return desk.store.collections.by_id[desk.store.collections.by_handle[handle]]


def holds(desk: Any, handle: str) -> set[str]:
    members = desk.store.collections.members[collection(desk, handle).id]
    return {desk.store.products[number].handle for number in members}


async def test_products_are_put_in_and_taken_out(shelf: Any) -> None:
    batch = await shelf.staged("", "collections=+summer,-winter")
    changes = await shelf.changes(batch)
    assert {(one.label, one.after["collections"]) for one in changes} == {
        ("Mug in Summer [summer]", True),
        ("100% wool_hat \\ «🧢» in Summer [summer]", True),
        ("100% wool_hat \\ «🧢» in Winter [winter]", False),
    }
    run = await shelf.push()
    assert run.counts == {ChangeStatus.APPLIED: 3}
    assert holds(shelf, "summer") == {"linen-shirt", "mug", "wool-hat"}
    assert holds(shelf, "winter") == set()
    entries = await shelf.ledger()
    assert sorted(entry["mutation"] for entry in entries) == ["collectionAddProducts", "collectionRemoveProducts"]


async def test_pull_after_a_push_finds_nothing_new(shelf: Any) -> None:
    await shelf.staged("", "collections=+summer,-winter")
    await shelf.staged("collection:winter", "collection_title=Cold")
    await shelf.push()
    run = await shelf.pulled.pull(PullMode.FULL)
    (stream,) = [one for one in run.streams if one.stream == "collections"]
    assert (stream.inserted, stream.deleted) == (0, 0)
    assert run.reconciliation is not None
    assert run.reconciliation.agreed


async def test_undo_puts_everything_back(shelf: Any) -> None:
    batch = await shelf.staged("", "collections=+summer,-winter")
    await shelf.push()
    undo = await shelf.undo(batch)
    await shelf.push()
    assert {one.status for one in await shelf.changes(undo)} == {"applied"}
    assert (holds(shelf, "summer"), holds(shelf, "winter")) == ({"linen-shirt"}, {"wool-hat"})
    again = await shelf.undo(undo)
    await shelf.push()
    assert {one.status for one in await shelf.changes(again)} == {"applied"}
    assert holds(shelf, "winter") == set()


async def test_collection_that_fills_itself_is_refused(shelf: Any) -> None:
    with pytest.raises(InvalidInput, match=r"Sale \[sale\] fills itself by its rules"):
        await shelf.stage("", "collections=+summer,-sale")


async def test_collection_nobody_has_is_told_the_nearest(shelf: Any) -> None:
    with pytest.raises(InvalidInput, match=r"no collection 'sumer'\. Did you mean summer"):
        await shelf.stage("", "collections=+sumer")


@pytest.mark.parametrize("text", ["summer", "+summer,winter", "+", "+summer,-summer"])
async def test_unclear_list_is_refused(shelf: Any, text: str) -> None:
    with pytest.raises(InvalidInput, match="collections="):
        await shelf.stage("", f"collections={text}")


async def test_nothing_is_staged_for_products_that_are_in_already(shelf: Any) -> None:
    with pytest.raises(NothingToDo):
        await shelf.stage("handle:linen-shirt", "collections=+summer")


async def test_collection_that_fills_itself_by_now_refuses_each(shelf: Any) -> None:
    batch = await shelf.staged("", "collections=+summer")
    rules = RuleSet((Rule("VENDOR", "EQUALS", "Nobody"),), disjunctive=False)
    shelf.store.collections.update(collection(shelf, "summer"), rules=rules)
    await shelf.push()
    assert {(one.status, one.sentence) for one in await shelf.changes(batch)} == {
        ("failed", "Can't manually add products to a smart collection")
    }
    assert await shelf.ledger() == []


async def test_product_that_somebody_else_put_in_needs_no_write(shelf: Any) -> None:
    batch = await shelf.staged("handle:mug", "collections=+summer")
    shelf.store.collections.add_products(collection(shelf, "summer"), [shelf.product("mug").id])
    await shelf.push()
    assert [receipt.outcome for receipt in await shelf.receipts(batch)] == ["already"]
    assert await shelf.ledger() == []


async def test_products_that_are_put_in_between_reading_and_writing_are_done_with_the_others(shelf: Any) -> None:
    """Shopify refuses the whole call for one of them; who is in already is as wanted."""
    batch = await shelf.staged("", "collections=+summer")
    door = shelf.pulled.shop.door
    door.hold("AddMembers")
    pushing = asyncio.create_task(shelf.push())
    await door.wait()
    shelf.store.collections.add_products(collection(shelf, "summer"), [shelf.product("mug").id])
    door.open()
    assert (await pushing).counts == {ChangeStatus.APPLIED: 2}
    assert holds(shelf, "summer") == {"linen-shirt", "mug", "wool-hat"}
    by_label = {one.label: one.id for one in await shelf.changes(batch)}
    receipts = {one.change_id: (one.outcome, one.verified_by) for one in await shelf.receipts(batch)}
    assert receipts[by_label["Mug in Summer [summer]"]] == ("already", "read-back")
    assert sorted(receipts.values()) == [("already", "read-back"), ("applied", "answer")]
    await shelf.undo(batch)
    await shelf.push()
    assert holds(shelf, "summer") == {"linen-shirt", "mug"}
    run = await shelf.pulled.pull(PullMode.FULL)
    assert run.reconciliation.agreed


async def test_product_that_is_gone_is_said_to_be(shelf: Any) -> None:
    batch = await shelf.staged("handle:mug", "collections=+summer")
    shelf.store.delete_product(shelf.product("mug"))
    await shelf.push()
    change = await shelf.change(batch)
    assert (change.status, change.sentence[:38]) == ("failed", "The product is no longer in the store;")


async def test_lost_answer_is_read_back_and_not_sent_again(shelf: Any) -> None:
    batch = await shelf.staged("", "collections=+summer,-winter")
    await shelf.fault("drop_after=1@AddMembers")
    await shelf.fault("drop_after=1@RemoveMembers")
    run = await shelf.push()
    assert run.counts == {ChangeStatus.APPLIED: 3}
    assert {receipt.verified_by for receipt in await shelf.receipts(batch)} == {"read-back"}
    assert len(await shelf.ledger()) == 2


async def test_fields_of_a_collection_are_changed_and_undone(shelf: Any) -> None:
    edits = ["collection_title=Cold days", "collection_seo_title=Winter", "collection_sort_order=price_desc"]
    batch = await shelf.staged("collection:winter", *edits, "collection_description=<p>Warm</p>")
    change = await shelf.change(batch)
    assert (change.kind, change.label, change.product_id) == ("collection", "Winter [winter]", 0)
    await shelf.push()
    changed = collection(shelf, "winter")
    assert (changed.title, changed.seo_title, changed.sort_order) == ("Cold days", "Winter", "PRICE_DESC")
    assert changed.description_html == "<p>Warm</p>"
    await shelf.undo(batch)
    await shelf.push()
    restored = collection(shelf, "winter")
    assert (restored.title, restored.seo_title, restored.description_html) == ("Winter", None, "")


async def test_handle_of_one_collection_is_changed_and_of_two_is_refused(shelf: Any) -> None:
    with pytest.raises(InvalidInput, match="Only one collection can have a handle"):
        await shelf.stage("", "collection_handle=cold")
    await shelf.staged("collection:winter", "collection_handle=cold")
    await shelf.push()
    assert collection(shelf, "cold").title == "Winter"


async def test_title_that_moved_is_a_conflict(shelf: Any) -> None:
    batch = await shelf.staged("collection:winter", "collection_title=Cold days", "collection_sort_order=created")
    shelf.store.collections.update(collection(shelf, "winter"), title="Ski")
    await shelf.push()
    assert (await shelf.change(batch)).theirs["collection_title"] == "Ski"
    await shelf.resolve(batch, Resolution.MERGE)
    await shelf.push()
    assert (collection(shelf, "winter").title, collection(shelf, "winter").sort_order) == ("Ski", "CREATED")


async def test_collections_are_not_chosen_by_terms_of_products(shelf: Any) -> None:
    with pytest.raises(InvalidInput, match="Collections are chosen by collection:HANDLE"):
        await shelf.stage("vendor:Acme", "collection_title=X")
    with pytest.raises(InvalidInput, match="is not a collection's order"):
        await shelf.stage("collection:winter", "collection_sort_order=price")


@pytest.mark.parametrize(
    ("where", "handles"),
    [
        ("collection:summer", {"linen-shirt"}),
        ("collection:summer,winter", {"linen-shirt", "wool-hat"}),
        ("-collection:summer", {"mug", "wool-hat"}),
        ("collection:winter,none", {"wool-hat"}),
        ("collection:sale", {"mug"}),
        ("collection_title:win*", {"wool-hat"}),
        ("-collection:none vendor:Acme", {"linen-shirt"}),
    ],
)
async def test_products_are_found_by_their_collections(shelf: Any, where: str, handles: set[str]) -> None:
    found = await shelf.changes(await shelf.stage(where, "vendor=Found"))
    assert {shelf.store.products[change.resource_id].handle for change in found} == handles


async def test_products_in_no_collection_are_found(shelf: Any) -> None:
    with pytest.raises(NothingToDo, match="Nothing in demo matches"):
        await shelf.stage("collection:none", "vendor=Found")
    await shelf.staged("", "collections=-winter")
    await shelf.push()
    (change,) = await shelf.changes(await shelf.stage("collection:none", "vendor=Found"))
    assert shelf.store.products[change.resource_id].handle == "wool-hat"


async def test_other_tenant_has_no_such_store(shelf: Any, stranger: Actor) -> None:
    with pytest.raises(StoreNotFound):
        await shelf.commerce.stage_edit(actor=stranger, store="demo", where="", edits=["collections=+summer"])
