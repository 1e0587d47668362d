"""Images that a sheet gives to products that are there already: added once, by their address."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus, ImportResult, PullMode, SheetRefused
from syncline.apps.commerce.gallery import is_shown_from
from syncline.kernel.paging import PageRequest

HEAD = "Handle,Variant Price,Image Src,Image Alt Text\n"
FRONT, SIDE = "https://supplier.example/front.jpg", "https://supplier.example/side.jpg"
MUG = HEAD + f"mug,9.00,{FRONT},Front\nmug,,{SIDE},\n"


@pytest.fixture
def take(pulled: Any, tmp_path: Any) -> Any:
    async def run(sheet: str) -> ImportResult:
        path = tmp_path / "sheet.csv"
        path.write_text(sheet, encoding="utf-8")
        result: ImportResult = await pulled.commerce.import_sheet(actor=pulled.actor, store="demo", path=str(path))
        return result

    return run


async def staged(pulled: Any, result: ImportResult) -> list[Any]:
    assert result.batch is not None
    query = ChangeQuery(batch_id=result.batch.id)
    page = await pulled.commerce.list_changes(actor=pulled.actor, query=query, page=PageRequest(limit=100))
    return sorted(page.items, key=lambda one: one.label)


async def push(pulled: Any, result: ImportResult) -> Any:
    assert result.batch is not None
    await pulled.commerce.approve(actor=pulled.actor, query=ChangeQuery(batch_id=result.batch.id))
    return await pulled.push()


def shown(pulled: Any, handle: str) -> list[str]:
    store = pulled.shop.store
    (found,) = [one for one in store.products.values() if one.handle == handle]
    return [one.alt or "" for one in store.media.shown_by(found.id)]


async def test_addresses_that_are_not_shown_are_added_and_the_same_sheet_then_stages_nothing(
    pulled: Any, take: Any
) -> None:
    """The price is as the store has it, so that but for its images nobody would read the product's rows."""
    result = await take(MUG)
    first, second = await staged(pulled, result)
    assert (first.kind, first.label, first.before) == ("product_image", "Mug, new image front", {"images": None})
    assert first.after == {"images": {"url": FRONT, "alt": "Front", "type": "image"}}
    assert second.after["images"]["url"] == SIDE
    run = await push(pulled, result)
    assert run.counts == {ChangeStatus.APPLIED: 2}
    assert sorted(shown(pulled, "mug")) == ["", "Front"]
    await pulled.pull(PullMode.INCREMENTAL)
    again = await take(MUG)
    assert (again.staged, again.batch) == (0, None)


async def test_what_an_export_wrote_comes_back_without_a_change(pulled: Any, take: Any, tmp_path: Any) -> None:
    await push(pulled, await take(MUG))
    await pulled.pull(PullMode.INCREMENTAL)
    path = tmp_path / "export.csv"
    with path.open("wb") as file:
        await pulled.commerce.export_store(actor=pulled.actor, store="demo", file=file, format="csv")
    assert "front" in path.read_text(encoding="utf-8-sig")
    result = await pulled.commerce.import_sheet(actor=pulled.actor, store="demo", path=str(path))
    assert (result.staged, result.batch) == (0, None)


async def test_an_address_that_is_written_twice_is_added_once(pulled: Any, take: Any) -> None:
    result = await take(HEAD + f"mug,,{FRONT},Front\nmug,,{FRONT}?v=2,\n")
    assert len(await staged(pulled, result)) == 1


async def test_what_is_no_address_is_named_with_its_row(take: Any) -> None:
    with pytest.raises(SheetRefused) as caught:
        await take(HEAD + "mug,,front.jpg,Front\n")
    found: Any = caught.value.extra["result"]
    (problem,) = [one for one in found["problems"] if one["severity"] == "error"]
    assert (problem["row"], problem["value"]) == (2, "front.jpg")
    assert "write it in full" in problem["reason"]


async def test_more_than_a_product_may_show_is_refused(take: Any) -> None:
    rows = "".join(f"mug,,https://supplier.example/{number}x.jpg,\n" for number in range(251))
    with pytest.raises(SheetRefused) as caught:
        await take(HEAD + rows)
    found: Any = caught.value.extra["result"]
    assert ["250 images" in one["reason"] for one in found["problems"] if one["severity"] == "error"] == [True]


@pytest.mark.parametrize(
    ("source", "address", "is_the_same"),
    [
        (FRONT, FRONT, True),
        (FRONT, f"{FRONT}?v=7", True),
        (FRONT, "https://cdn.shopify.com/files/front.jpg?v=1", True),
        (FRONT, "https://cdn.shopify.com/files/front_9f2c.jpg", True),
        (FRONT, "https://cdn.shopify.com/files/frontal.jpg", False),
        (FRONT, "https://supplier.example/old/front.jpg", False),
        (FRONT, "", False),
    ],
)
def test_a_copy_that_the_shop_serves_is_the_same_image(source: str, address: str, is_the_same: bool) -> None:
    assert is_shown_from(source, [address]) is is_the_same
