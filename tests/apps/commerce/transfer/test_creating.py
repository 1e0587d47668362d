"""Products that a sheet makes and deletes."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus, ImportResult, PullMode, SheetRefused
from syncline.kernel.paging import PageRequest

HEAD = (
    "Title,URL handle,Vendor,Tags,Option1 name,Option1 value,SKU,Price,Cost per item,Weight value (grams),"
    "Product image URL,Image alt text,Metafield: custom.material [single_line_text_field]\n"
)
SCARF = (
    'Silk Scarf,silk-scarf,Acme,"new, silk",Color,Red,SCARF-R,30,11.5,100,https://cdn.example.com/1.jpg,Front,Silk\n'
    ",silk-scarf,,,,Blue,SCARF-B,32.50,,,https://cdn.example.com/2.jpg,,\n"
    ",silk-scarf,,,,,,,,,https://cdn.example.com/3.jpg,Worn,\n"
)


@pytest.fixture
def take(pulled: Any, tmp_path: Any) -> Any:
    async def run(sheet: str, **options: Any) -> ImportResult:
        path = tmp_path / "sheet.csv"
        path.write_text(sheet, encoding="utf-8")
        result: ImportResult = await pulled.commerce.import_sheet(
            actor=pulled.actor, store="demo", path=str(path), **options
        )
        return result

    return run


async def refused(take: Any, sheet: str, **options: Any) -> list[str]:
    with pytest.raises(SheetRefused) as caught:
        await take(sheet, **options)
    found: Any = caught.value.extra["result"]
    return [problem["reason"] for problem in found["problems"] if problem["severity"] == "error"]


async def changes(pulled: Any, result: ImportResult) -> list[Any]:
    assert result.batch is not None
    page = await pulled.commerce.list_changes(
        actor=pulled.actor, query=ChangeQuery(batch_id=result.batch.id), page=PageRequest()
    )
    return list(page.items)


async def push(pulled: Any, result: ImportResult) -> Any:
    assert result.batch is not None
    await pulled.commerce.approve(actor=pulled.actor, query=ChangeQuery(batch_id=result.batch.id))
    return await pulled.push()


async def test_rows_of_an_unknown_handle_are_one_new_product(pulled: Any, take: Any) -> None:
    result = await take(HEAD + SCARF, create=True)
    (change,) = await changes(pulled, result)
    assert (change.kind, change.label, change.before) == ("whole_product", "Silk Scarf", {"whole_product": None})
    assert change.after["whole_product"] == {
        "handle": "silk-scarf",
        "title": "Silk Scarf",
        "status": "draft",
        "vendor": "Acme",
        "tags": ["new", "silk"],
        "options": [{"name": "Color", "values": ["Red", "Blue"]}],
        "variants": [
            {
                "options": ["Red"],
                "sku": "SCARF-R",
                "price": "30.00",
                "cost": "11.50",
                "weight": "100",
                "weight_unit": "grams",
                "levels": [],
                "metafields": {},
            },
            {"options": ["Blue"], "sku": "SCARF-B", "price": "32.50", "levels": [], "metafields": {}},
        ],
        "media": [
            {"url": "https://cdn.example.com/1.jpg", "alt": "Front"},
            {"url": "https://cdn.example.com/2.jpg", "alt": None},
            {"url": "https://cdn.example.com/3.jpg", "alt": "Worn"},
        ],
        "metafields": {"custom.material": {"type": "single_line_text_field", "value": "Silk"}},
    }
    run = await push(pulled, result)
    assert run.counts == {ChangeStatus.APPLIED: 1}
    made = pulled.shop.store.find_product_by_handle("silk-scarf")
    assert [one.url for one in pulled.shop.store.media.shown_by(made.id)][1] == "https://cdn.example.com/2.jpg"
    await pulled.pull(PullMode.INCREMENTAL)
    again = await take(HEAD + SCARF, create=True)
    assert (again.staged, again.errors) == (0, 0)


async def test_without_being_asked_an_unknown_handle_is_an_error_and_the_rest_is_changed(
    pulled: Any, take: Any
) -> None:
    (reason,) = await refused(take, HEAD + SCARF)
    assert "unless it is asked to make new ones" in reason
    mixed = "Title,Handle\nBetter Mug,mug\nCap,cap\n"
    result = await take(mixed, create=True)
    assert [(one.kind, one.label) for one in await changes(pulled, result)] == [
        ("product", "Mug"),
        ("whole_product", "Cap"),
    ]


async def test_commands_say_what_becomes_of_each_product(pulled: Any, take: Any) -> None:
    sheet = (
        "Handle,Command,Title,Vendor\nmug,DELETE,,\nlinen-shirt,update,,Other\ncap,New,Cap,Acme\nhat-2,merge,Hat 2,\n"
    )
    result = await take(sheet)
    assert [(one.kind, one.label) for one in await changes(pulled, result)] == [
        ("whole_product", "Mug"),
        ("product", "Linen Shirt"),
        ("whole_product", "Cap"),
        ("whole_product", "Hat 2"),
    ]
    await push(pulled, result)
    store = pulled.shop.store
    assert store.find_product_by_handle("mug") is None
    assert store.find_product_by_handle("cap").vendor == "Acme"
    assert store.find_product_by_handle("linen-shirt").vendor == "Other"


@pytest.mark.parametrize(
    ("sheet", "reason"),
    [
        ("Handle,Command\nmug,remove\n", "is no command; write new, merge, update or delete"),
        ("Handle,Command,Title\nmug,new,Mug\n", "The store has a product with this handle already"),
        ("Handle,Command,Title\ncap,update,Cap\n", "the store has no product with this handle"),
        ("Handle,Command\ncap,delete\n", "the store has no product with this handle"),
        ("Handle,Command,Option1 Value\nlinen-shirt,delete,S\nlinen-shirt,update,M\n", "one command for a product"),
        ("Handle,Vendor\ncap,Acme\n", "A new product needs a title"),
        ("Handle,Title,Image Src\ncap,Cap,cap.jpg\n", "is not the address of an image"),
        ("Handle,Title,Option1 Name,Option1 Value,SKU\ncap,Cap,Size,S,1\ncap,,,,2\n", "one value for each of Size"),
        ("Handle,Title,Variant Inventory Qty\ncap,Cap,4\n", "several locations and nobody said where this is"),
    ],
)
async def test_what_cannot_be_made_says_what_to_do(take: Any, sheet: str, reason: str) -> None:
    assert reason in " ".join(await refused(take, sheet, create=True))


async def test_stock_of_a_new_product_is_where_the_sheet_says(pulled: Any, take: Any) -> None:
    head = "Handle,Title,SKU,Variant Inventory Qty\n"
    result = await take(f"{head}cap,Cap,CAP,4\n", create=True, location="Flagship store")
    await push(pulled, result)
    assert pulled.shop.available("CAP", "Flagship store") == 4
