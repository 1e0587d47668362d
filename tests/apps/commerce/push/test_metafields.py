"""Metafields staged, reviewed, pushed and undone: made, changed and deleted, compared by what the store has now."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.apps.commerce.contract import (
    ChangeNotReviewable,
    ChangeQuery,
    ChangeStatus,
    PullMode,
    Resolution,
    StoreNotFound,
)
from syncline.kernel.errors import InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor

TEXT = "single_line_text_field"
MATERIAL = "metafield.custom.material"
SIZE = "variant_metafield.custom.size_code"


def set_(desk: Any, handle: str, key: str, value: str, kind: str = TEXT) -> None:
    """A merchant's edit."""
    desk.store.metafields.set("Product", desk.product(handle).id, "custom", key, kind, value)


def find(desk: Any, handle: str, key: str = "material") -> Any:
    return desk.store.metafields.find("Product", desk.product(handle).id, "custom", key)


def delete(desk: Any, handle: str, key: str = "material") -> None:
    desk.store.metafields.delete(find(desk, handle, key))


@pytest.fixture
async def wool(desk: Any) -> Any:
    """The shirt is of wool, and the mirror knows it."""
    set_(desk, "linen-shirt", "material", "Wool")
    desk.store.metafields.set("ProductVariant", desk.variant("SHIRT-S").id, "custom", "size_code", TEXT, "48")
    await desk.pulled.pull(PullMode.INCREMENTAL)
    return desk


async def mirrored(desk: Any, where: str) -> int:
    """How many products of the mirror a search finds."""
    batch = await desk.stage(where, "tags=+seen")
    await desk.commerce.reject(actor=desk.pulled.actor, query=ChangeQuery(batch_id=batch.id))
    return int(sum(batch.counts.values()))


async def test_existing_one_is_changed_in_its_own_type(wool: Any) -> None:
    batch = await wool.staged("handle:linen-shirt", f"{MATERIAL}=Cotton")
    change = await wool.change(batch)
    assert (change.kind, change.label) == ("product_metafield", "Linen Shirt")
    assert change.before[MATERIAL]["value"] == "Wool"
    assert change.after == {MATERIAL: {"type": TEXT, "value": "Cotton"}}
    run = await wool.push()
    assert run.counts == {ChangeStatus.APPLIED: 1}
    assert find(wool, "linen-shirt").value == "Cotton"
    (receipt,) = await wool.receipts(batch)
    assert (receipt.outcome, receipt.verified_by) == ("applied", "answer")
    assert receipt.before[MATERIAL]["value"] == "Wool"
    assert receipt.after[MATERIAL]["digest"] == find(wool, "linen-shirt").compare_digest
    assert await mirrored(wool, f"{MATERIAL}:cotton") == 1


async def test_pull_after_a_push_finds_nothing_new(wool: Any) -> None:
    await wool.staged("", f"{MATERIAL}=Cotton")
    await wool.push()
    run = await wool.pulled.pull(PullMode.FULL)
    (stream,) = [one for one in run.streams if one.stream == "metafields"]
    assert (stream.inserted, stream.updated, stream.deleted) == (0, 0, 0)
    assert run.reconciliation is not None
    assert run.reconciliation.agreed


async def test_type_of_the_store_is_taken_for_records_that_have_none(wool: Any) -> None:
    batch = await wool.staged("", f"{MATERIAL}=Cotton")
    assert len(await wool.changes(batch)) == 3
    await wool.push()
    assert [find(wool, handle).value for handle in ("linen-shirt", "mug", "wool-hat")] == ["Cotton"] * 3


async def test_type_nobody_knows_has_to_be_said(desk: Any) -> None:
    with pytest.raises(InvalidInput, match=r"say it, like metafield\.custom\.care:single_line_text_field=cold"):
        await desk.stage("", "metafield.custom.care=cold")
    batch = await desk.staged("handle:mug", "metafield.custom.warranty:number_integer=24")
    await desk.push()
    made = find(desk, "mug", "warranty")
    assert (made.type, made.value) == ("number_integer", "24")
    assert (await desk.change(batch)).before == {"metafield.custom.warranty": None}


async def test_type_that_is_another_one_here_is_refused(wool: Any) -> None:
    with pytest.raises(InvalidInput, match=f"is a {TEXT} here, not a json"):
        await wool.stage("", f'{MATERIAL}:json={{"a": 1}}')


async def test_value_that_does_not_suit_the_type_stages_nothing(desk: Any) -> None:
    set_(desk, "mug", "warranty", "24", "number_integer")
    await desk.pulled.pull(PullMode.INCREMENTAL)
    with pytest.raises(InvalidInput, match=r"Mug: 'two years' is not a number_integer"):
        await desk.stage("handle:mug", "metafield.custom.warranty=two years")
    batches = await desk.commerce.list_batches(actor=desk.pulled.actor, store="demo", page=PageRequest())
    assert batches.total == 0


async def test_variants_have_their_own(wool: Any) -> None:
    batch = await wool.staged("vendor:Acme", f"{SIZE}=50")
    changes = await wool.changes(batch)
    assert {change.label for change in changes} == {"Linen Shirt / S [SHIRT-S]", "Linen Shirt / M [SHIRT-M]"}
    await wool.push()
    held = wool.store.metafields.find("ProductVariant", wool.variant("SHIRT-M").id, "custom", "size_code")
    assert held.value == "50"


async def test_deleting_and_undoing_it(wool: Any) -> None:
    batch = await wool.staged("", f"{MATERIAL}=none")
    assert len(await wool.changes(batch)) == 1
    await wool.push()
    assert find(wool, "linen-shirt") is None
    assert await mirrored(wool, f"{MATERIAL}:none") == 3
    undo = await wool.undo(batch)
    await wool.push()
    assert (await wool.change(undo)).status == "applied"
    assert (find(wool, "linen-shirt").type, find(wool, "linen-shirt").value) == (TEXT, "Wool")
    assert await mirrored(wool, f"{MATERIAL}:Wool") == 1
    run = await wool.pulled.pull(PullMode.FULL)
    assert run.reconciliation is not None
    assert run.reconciliation.agreed


async def test_making_and_undoing_it(wool: Any) -> None:
    batch = await wool.staged("handle:mug", f"{MATERIAL}=Clay")
    await wool.push()
    await wool.undo(batch)
    await wool.push()
    assert find(wool, "mug") is None


async def test_several_of_one_record_are_settled_one_by_one(wool: Any) -> None:
    batch = await wool.staged("handle:linen-shirt", f"{MATERIAL}=Cotton", "metafield.custom.fit:boolean=yes")
    set_(wool, "linen-shirt", "material", "Hemp")
    run = await wool.push()
    assert run.counts == {ChangeStatus.APPLIED: 1, ChangeStatus.CONFLICT: 1}
    (told,) = [change for change in await wool.changes(batch) if change.status == "conflict"]
    assert told.theirs[MATERIAL]["value"] == "Hemp"
    assert find(wool, "linen-shirt").value == "Hemp"
    assert find(wool, "linen-shirt", "fit").value == "true"


async def test_deleted_meanwhile_is_a_conflict_and_can_be_overwritten(wool: Any) -> None:
    batch = await wool.staged("handle:linen-shirt", f"{MATERIAL}=Cotton")
    delete(wool, "linen-shirt")
    await wool.push()
    assert (await wool.change(batch)).theirs == {MATERIAL: None}
    assert find(wool, "linen-shirt") is None
    await wool.resolve(batch, Resolution.OVERWRITE)
    await wool.push()
    assert find(wool, "linen-shirt").value == "Cotton"


async def test_made_meanwhile_is_not_written_over(wool: Any) -> None:
    batch = await wool.staged("handle:mug", f"{MATERIAL}=Clay")
    set_(wool, "mug", "material", "Porcelain")
    await wool.push()
    assert (await wool.change(batch)).status == "conflict"
    assert find(wool, "mug").value == "Porcelain"


async def test_what_means_the_same_needs_no_write(desk: Any) -> None:
    set_(desk, "mug", "height", "9.50", "number_decimal")
    await desk.pulled.pull(PullMode.INCREMENTAL)
    batch = await desk.staged("handle:mug", "metafield.custom.height=10")
    set_(desk, "mug", "height", "10.0", "number_decimal")
    await desk.push()
    assert [receipt.outcome for receipt in await desk.receipts(batch)] == ["already"]
    assert await desk.ledger() == []


async def test_product_that_is_gone_is_said_to_be(wool: Any) -> None:
    batch = await wool.staged("handle:linen-shirt", f"{MATERIAL}=Cotton")
    wool.store.delete_product(wool.product("linen-shirt"))
    await wool.push()
    change = await wool.change(batch)
    assert (change.status, change.sentence[:38]) == ("failed", "The product is no longer in the store;")


async def test_two_changes_of_one_metafield_go_one_after_the_other(wool: Any) -> None:
    first = await wool.staged("handle:linen-shirt", f"{MATERIAL}=Cotton")
    second = await wool.staged("handle:linen-shirt", f"{MATERIAL}=Hemp")
    await wool.push()
    assert (await wool.change(first)).status == "applied"
    assert (await wool.change(second)).theirs[MATERIAL]["value"] == "Cotton"
    assert find(wool, "linen-shirt").value == "Cotton"


async def test_approving_twice_writes_once(wool: Any) -> None:
    batch = await wool.stage("", f"{MATERIAL}=Cotton")
    query = ChangeQuery(batch_id=batch.id)
    assert (await wool.commerce.approve(actor=wool.pulled.actor, query=query)).changed == 3
    with pytest.raises(ChangeNotReviewable):
        await wool.commerce.approve(actor=wool.pulled.actor, query=query)
    await wool.push()
    (entry,) = await wool.ledger()
    assert len(entry["changes"]) == 3


async def test_throttled_store_gets_each_once(wool: Any) -> None:
    await wool.staged("", f"{MATERIAL}=Cotton", "metafield.custom.fit:boolean=true")
    await wool.fault("throttle=2@SetMetafields")
    run = await wool.push()
    assert run.counts == {ChangeStatus.APPLIED: 6}
    assert sum(len(entry["changes"]) for entry in await wool.ledger()) == 6


async def test_lost_answer_is_read_back_and_not_sent_again(wool: Any) -> None:
    batch = await wool.staged("", f"{MATERIAL}=Cotton")
    await wool.fault("drop_after=1@SetMetafields")
    run = await wool.push()
    assert run.counts == {ChangeStatus.APPLIED: 3}
    assert {receipt.verified_by for receipt in await wool.receipts(batch)} == {"read-back"}
    assert len(await wool.ledger()) == 1


async def test_lost_deletion_is_read_back(wool: Any) -> None:
    batch = await wool.staged("handle:linen-shirt", f"{MATERIAL}=none")
    await wool.fault("drop_after=1@DeleteMetafields")
    await wool.push()
    assert (await wool.change(batch)).status == "applied"
    assert len(await wool.ledger()) == 1


async def test_other_tenant_can_neither_stage_nor_approve(wool: Any, stranger: Actor) -> None:
    batch = await wool.stage("", f"{MATERIAL}=Cotton")
    with pytest.raises(StoreNotFound):
        await wool.commerce.stage_edit(actor=stranger, store="demo", where="", edits=[f"{MATERIAL}=Silk"])
    with pytest.raises(ChangeNotReviewable):
        await wool.commerce.approve(
            actor=stranger, query=ChangeQuery(ids=[one.id for one in await wool.changes(batch)])
        )
    assert {one.status for one in await wool.changes(batch)} == {"pending"}


async def test_changes_are_found_by_the_name_of_the_metafield(wool: Any) -> None:
    await wool.stage("", f"{MATERIAL}=Cotton", "vendor=Other")
    query = ChangeQuery(search=f"field:{MATERIAL} kind:product_metafield")
    page = await wool.commerce.list_changes(actor=wool.pulled.actor, query=query, page=PageRequest())
    assert page.total == 3
    query = ChangeQuery(search="field:metafield.custom.other")
    page = await wool.commerce.list_changes(actor=wool.pulled.actor, query=query, page=PageRequest())
    assert page.total == 0
