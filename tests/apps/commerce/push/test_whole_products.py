"""Products made and deleted: staged, compared, pushed, read back and undone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from syncline.apps.commerce.contract import ChangeBatch, ChangeStatus, NothingToDo, PullMode, Resolution
from syncline.apps.commerce.mirror.models import product
from syncline.kernel.errors import InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.sandbox.shopify.entities_content import Rule, RuleSet

SCARF: dict[str, Any] = {
    "title": "Silk Scarf",
    "vendor": "Acme",
    "tags": ["silk", "new"],
    "options": ["Color"],
    "variants": [
        {
            "options": ["Red"],
            "sku": "SCARF-R",
            "price": "30",
            "cost": "11.5",
            "weight": "0.1",
            "weight_unit": "kilograms",
            "tracked": True,
            "levels": [{"location": "Main warehouse", "available": 4}],
        },
        {"options": ["Blue"], "sku": "SCARF-B", "price": "32.50", "compare_at_price": "40"},
    ],
    "media": [{"url": "https://cdn.example.com/scarf.jpg", "alt": "A scarf"}],
    "metafields": {"custom.material": {"type": "single_line_text_field", "value": "Silk"}},
}


async def make(desk: Any, *products: dict[str, Any]) -> ChangeBatch:
    batch: ChangeBatch = await desk.commerce.stage_products(
        actor=desk.pulled.actor, store="demo", products=products or [SCARF]
    )
    await desk.approve(batch)
    return batch


async def delete(desk: Any, where: str) -> ChangeBatch:
    batch: ChangeBatch = await desk.commerce.stage_deletion(actor=desk.pulled.actor, store="demo", where=where)
    await desk.approve(batch)
    return batch


async def mirrored(desk: Any) -> list[str]:
    async with desk.commerce.runtime.database.reading(desk.pulled.actor.tenant_id) as session:
        found = await session.execute(select(product.c.handle).where(product.c.deleted_at.is_(None)))
        return sorted(found.scalars())


async def assert_agrees(desk: Any) -> None:
    run = await desk.pulled.pull(PullMode.INCREMENTAL)
    assert run.reconciliation is not None
    assert run.reconciliation.agreed
    found = await desk.commerce.reconcile(actor=desk.pulled.actor, store="demo", depth="content", repair=False)
    assert found.agreed


async def test_product_is_made_with_all_that_belongs_to_it(desk: Any) -> None:
    batch = await make(desk)
    change = await desk.change(batch)
    assert (change.kind, change.label, change.before) == ("whole_product", "Silk Scarf", {"whole_product": None})
    assert change.resource_id < 0
    run = await desk.push()
    assert run.counts == {ChangeStatus.APPLIED: 1}
    made = desk.product("silk-scarf")
    assert (made.title, made.vendor, made.status, made.tags) == ("Silk Scarf", "Acme", "DRAFT", ["new", "silk"])
    red, blue = desk.variant("SCARF-R"), desk.variant("SCARF-B")
    assert (red.option_values, red.price, blue.price, blue.compare_at_price) == (
        *(["Red"], "30.00"),
        *("32.50", "40.00"),
    )
    assert desk.store.items[red.item_id].unit_cost == "11.50"
    assert desk.pulled.shop.available("SCARF-R", "Main warehouse") == 4
    assert [(one.url, one.alt) for one in desk.store.media.shown_by(made.id)] == [
        ("https://cdn.example.com/scarf.jpg", "A scarf")
    ]
    assert desk.store.metafields.find("Product", made.id, "custom", "material").value == "Silk"
    (receipt,) = await desk.receipts(batch)
    assert (receipt.outcome, receipt.after["whole_product"]["id"]) == ("applied", made.id)
    assert "silk-scarf" in await mirrored(desk)
    await assert_agrees(desk)


async def test_what_was_made_is_deleted_by_the_undo_and_made_again_by_its_undo(desk: Any) -> None:
    batch = await make(desk)
    await desk.push()
    first = desk.product("silk-scarf").id
    undo = await desk.undo(batch)
    assert (await desk.change(undo)).resource_id == first
    await desk.push()
    assert desk.product("silk-scarf") is None
    assert "silk-scarf" not in await mirrored(desk)
    again = await desk.undo(undo)
    assert "new ids" in again.summary
    assert (await desk.change(again)).label == "Silk Scarf (new ids)"
    await desk.push()
    second = desk.product("silk-scarf")
    assert second.id > first
    assert [variant.sku for variant in desk.store.variants_of(second)] == ["SCARF-R", "SCARF-B"]
    assert desk.store.metafields.find("Product", second.id, "custom", "material").value == "Silk"
    assert desk.pulled.shop.available("SCARF-R", "Main warehouse") == 4
    await assert_agrees(desk)


async def test_deleted_product_is_kept_whole_and_comes_back_by_the_undo(desk: Any) -> None:
    shirt = desk.product("linen-shirt")
    desk.store.metafields.set("ProductVariant", desk.variant("SHIRT-S").id, "custom", "size", "number_integer", "48")
    desk.store.media.add(shirt.id, content_type="IMAGE", url="https://cdn.example.com/a.jpg", alt="Front")
    await desk.pulled.pull(PullMode.INCREMENTAL)
    batch = await delete(desk, "handle:linen-shirt")
    run = await desk.push()
    assert run.counts == {ChangeStatus.APPLIED: 1}
    assert desk.product("linen-shirt") is None
    assert await mirrored(desk) == ["mug", "wool-hat"]
    await assert_agrees(desk)
    await desk.undo(batch)
    await desk.push()
    back = desk.product("linen-shirt")
    assert back.id != shirt.id
    assert (back.title, back.tags, back.status) == ("Linen Shirt", ["Linen", "summer"], "ACTIVE")
    small, medium = desk.store.variants_of(back)
    assert (small.option_values, small.price, small.barcode) == (["S"], "20.00", "0123")
    assert desk.store.metafields.find("ProductVariant", small.id, "custom", "size").value == "48"
    assert [
        desk.store.levels[one.item_id, place].available for one in (small, medium) for place in desk.store.locations
    ] == [
        *(10, 3),
        *(1, 0),
    ]
    assert [one.alt for one in desk.store.media.shown_by(back.id)] == ["Front"]
    await assert_agrees(desk)


async def test_what_comes_back_is_in_its_collections_again_as_far_as_they_stand(desk: Any) -> None:
    make, shirt = desk.store.collections.create, desk.product("linen-shirt")
    held, gone, turned = (make(handle=name, title=name.title()) for name in ("summer", "old", "turned"))
    for one in (held, gone, turned):
        desk.store.collections.add_products(one, [shirt.id])
    await desk.pulled.pull(PullMode.FULL)
    batch = await delete(desk, "handle:linen-shirt")
    await desk.push()
    desk.store.collections.delete(gone)
    rules = RuleSet((Rule("VENDOR", "EQUALS", "Nobody"),))
    desk.store.collections.update(turned, rules=rules)
    await desk.pulled.pull(PullMode.FULL)
    await desk.undo(batch)
    run = await desk.push()
    assert run.counts == {ChangeStatus.APPLIED: 1}
    back = desk.product("linen-shirt")
    assert [one.id for one in (held, turned) if back.id in desk.store.collections.members[one.id]] == [held.id]


async def test_product_that_changed_after_its_deletion_was_staged_is_a_conflict(desk: Any) -> None:
    batch = await delete(desk, "handle:linen-shirt")
    desk.store.update_variant(desk.variant("SHIRT-M"), price="23.00")
    run = await desk.push()
    assert run.counts == {ChangeStatus.CONFLICT: 1}
    assert desk.product("linen-shirt") is not None
    assert await desk.resolve(batch, Resolution.OVERWRITE) == 1
    await desk.push()
    assert desk.product("linen-shirt") is None
    (*_, receipt) = await desk.receipts(batch)
    prices = [variant["price"] for variant in receipt.before["whole_product"]["variants"]]
    assert prices == ["20.00", "23.00"]


async def test_product_that_is_gone_already_needs_no_deletion(desk: Any) -> None:
    batch = await delete(desk, "handle:mug")
    desk.store.delete_product(desk.product("mug"))
    run = await desk.push()
    assert run.counts == {ChangeStatus.APPLIED: 1}
    assert [receipt.outcome for receipt in await desk.receipts(batch)] == ["already"]


async def test_handle_that_somebody_took_meanwhile_makes_no_second_product(desk: Any) -> None:
    batch = await make(desk)
    desk.store.add_product(title="Theirs", handle="silk-scarf")
    run = await desk.push()
    assert run.counts == {ChangeStatus.FAILED: 1}
    assert "has a product with the handle silk-scarf by now" in (await desk.change(batch)).sentence
    assert desk.product("silk-scarf").title == "Theirs"


@pytest.mark.parametrize("name", ["CreateProduct", "DeleteProduct"])
async def test_lost_answer_is_read_back_and_nothing_is_done_twice(desk: Any, name: str) -> None:
    made, deleted = await make(desk), await delete(desk, "handle:mug")
    await desk.fault(f"drop_after=1@{name}")
    run = await desk.push()
    assert run.counts == {ChangeStatus.APPLIED: 2}
    verified = {one.verified_by for batch in (made, deleted) for one in await desk.receipts(batch)}
    assert "read-back" in verified
    titles = [one.title for one in desk.store.products.values()]
    assert sorted(titles) == ["100% wool_hat \\ «🧢»", "Linen Shirt", "Silk Scarf"]
    undo = await desk.undo(made)
    assert (await desk.change(undo)).resource_id == desk.product("silk-scarf").id


async def test_write_that_never_arrived_is_made_once(desk: Any) -> None:
    await make(desk, SCARF, {"title": "Cap"})
    await desk.fault("drop_before=1@CreateProduct")
    run = await desk.push()
    assert run.counts == {ChangeStatus.APPLIED: 2}
    assert len([one for one in desk.store.products.values() if one.title in {"Silk Scarf", "Cap"}]) == 2


async def test_what_the_store_refuses_is_told_with_its_reason(desk: Any) -> None:
    batch = await make(desk)
    (place,) = [number for number, one in desk.store.locations.items() if one.name == "Main warehouse"]
    del desk.store.locations[place]
    run = await desk.push()
    assert run.counts == {ChangeStatus.FAILED: 1}
    assert (await desk.change(batch)).sentence == "The specified location could not be found."
    assert desk.product("silk-scarf") is None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"vendor": "Acme"}, "Product 1: A new product needs a title"),
        ({"title": "Mug"}, "has a product with the handle mug; choose another"),
        ({"title": "A", "colour": "red"}, "there is no 'colour' here"),
        ({"title": "A", "options": ["Size"], "variants": [{"options": []}]}, "one value for each of Size"),
        ({"title": "A", "options": ["S"], "variants": [{"options": ["1"]}, {"options": ["1"]}]}, "both 1; keep one"),
        ({"title": "A", "variants": [{"price": "12,5o"}]}, "is not an amount"),
        ({"title": "A", "media": ["front.jpg"]}, "is not the address of an image"),
        ({"title": "A", "metafields": {"custom.x": {"type": "colour", "value": "1"}}}, "not a type of metafield"),
        ({"title": "A", "variants": [{"levels": [{"location": "Moon", "available": 1}]}]}, "no location 'Moon'"),
        ({"title": "A", "options": ["a", "b", "c", "d"]}, "can have 3 options, not 4"),
    ],
)
async def test_wrong_product_stages_none_of_them(desk: Any, wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await make(desk, wrong, SCARF)
    assert sentence in caught.value.sentence
    page = await desk.commerce.list_batches(actor=desk.pulled.actor, store="demo", page=PageRequest())
    assert page.items == []


async def test_deletion_says_which_products(desk: Any) -> None:
    with pytest.raises(InvalidInput, match="Say which products to delete"):
        await delete(desk, " ")
    with pytest.raises(NothingToDo, match="No product of demo matches"):
        await delete(desk, "handle:boat")
