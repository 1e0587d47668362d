"""Columns guessed and mapped, templates, and the sheet that comes back with its errors marked."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from syncline.apps.commerce.contract import ChangeQuery, SheetRefused
from syncline.apps.commerce.sheet_contract import MappingNotFound
from syncline.apps.commerce.transfer.mapping.words import guess
from syncline.apps.commerce.transfer.templates import TEMPLATES
from syncline.kernel.errors import InvalidInput
from syncline.kernel.paging import PageRequest

SUPPLIER = "Slug,Artikelnummer,Preis,Bemerkung\nlinen-shirt,SHIRT-S,25,x\nlinen-shirt,SHIRT-M,26,y\n"
MAPPING = {"Slug": "handle", "Artikelnummer": "sku", "Preis": "price", "Bemerkung": "-"}


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(text: str, name: str = "sheet.csv") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


async def marked(pulled: Any, path: str, **options: Any) -> tuple[Any, bytes]:
    out = io.BytesIO()
    found = await pulled.commerce.mark_sheet(actor=pulled.actor, store="demo", path=path, file=out, **options)
    return found, out.getvalue()


async def test_a_kept_mapping_reads_the_sheet_of_a_supplier(pulled: Any, written: Any) -> None:
    path = written(SUPPLIER)
    with pytest.raises(SheetRefused):
        await pulled.commerce.import_sheet(actor=pulled.actor, store="demo", path=path)
    await pulled.commerce.keep_mapping(actor=pulled.actor, name="Acme  prices", columns=MAPPING)
    result = await pulled.commerce.import_sheet(actor=pulled.actor, store="demo", path=path, mapping="acme prices")
    page = await pulled.commerce.list_changes(
        actor=pulled.actor, query=ChangeQuery(batch_id=result.batch.id), page=PageRequest()
    )
    assert [change.after for change in page.items] == [{"price": "25.00"}, {"price": "26.00"}]


async def test_a_mapping_is_changed_and_removed_by_its_name(pulled: Any) -> None:
    await pulled.commerce.keep_mapping(actor=pulled.actor, name="Acme", columns={"Preis": "price"})
    await pulled.commerce.keep_mapping(actor=pulled.actor, name="ACME", columns={"Preis": "cost"})
    (one,) = await pulled.commerce.list_mappings(actor=pulled.actor)
    assert (one.name, one.columns, one.changed_by) == ("Acme", {"Preis": "cost"}, pulled.actor.name)
    await pulled.commerce.remove_mapping(actor=pulled.actor, name="acme")
    assert await pulled.commerce.list_mappings(actor=pulled.actor) == []
    with pytest.raises(MappingNotFound, match="There is no mapping 'acme'"):
        await pulled.commerce.remove_mapping(actor=pulled.actor, name="acme")


async def test_a_mapping_of_another_tenant_is_not_there(pulled: Any, stranger: Any, written: Any) -> None:
    await pulled.commerce.keep_mapping(actor=pulled.actor, name="Acme", columns=MAPPING)
    assert await pulled.commerce.list_mappings(actor=stranger) == []
    with pytest.raises(MappingNotFound):
        await pulled.commerce.describe_columns(actor=stranger, path=written(SUPPLIER), mapping="Acme")


@pytest.mark.parametrize(
    ("name", "columns", "sentence"),
    [
        (" ", MAPPING, "needs a name"),
        ("x", {}, "Say what 1 to"),
        ("x", {"Preis": "pirce"}, "'pirce' is no field. Did you mean"),
        ("x", {"A": "price", "B": "price"}, "Two columns mean price"),
        ("x", {" ": "price"}, "has no title"),
    ],
)
async def test_a_mapping_that_means_nothing_is_refused(
    pulled: Any, name: str, columns: dict[str, str], sentence: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await pulled.commerce.keep_mapping(actor=pulled.actor, name=name, columns=columns)
    assert sentence in caught.value.sentence


async def test_columns_are_shown_with_what_is_guessed_of_them(pulled: Any, written: Any) -> None:
    text = "URL handle,EAN-Code,Verkaufspreis,Zuschlag,Tax code,Metafield: custom.x\nmug,0123,9,red,A,y\n"
    found = await pulled.commerce.describe_columns(actor=pulled.actor, path=written(text))
    assert [(one.title, one.field, one.how, one.sample) for one in found] == [
        ("URL handle", "handle", "known", "mug"),
        ("EAN-Code", "barcode", "guessed", "0123"),
        ("Verkaufspreis", "price", "guessed", "9"),
        ("Zuschlag", None, "unknown", "red"),
        ("Tax code", None, "left", "A"),
        ("Metafield: custom.x", "metafield.custom.x", "known", "y"),
    ]


@pytest.mark.parametrize(("title", "word"), [("Qty", "available"), ("Product_Name", "title"), ("zzz", None)])
def test_a_guess_is_what_people_call_it_and_never_wild(title: str, word: str | None) -> None:
    assert guess(title) == word


BAD = 'Handle,Option1 Value,Variant Price\nlinen-shirt,S,12,5o\nlinen-shirt,M,"9,5o"\nboat,,3\nmug,,9.50\n'


async def test_a_text_comes_back_with_its_problems_behind_each_row(pulled: Any, written: Any) -> None:
    path = written(BAD)
    found, data = await marked(pulled, path)
    assert (found.format, found.rows, found.marked, found.errors) == ("csv", 4, 3, 3)
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert rows[0] == ["Handle", "Option1 Value", "Variant Price", "Problem"]
    assert "The row has 4 cells" in rows[1][-1]
    assert rows[2] == ["linen-shirt", "M", "9,5o", "Variant Price: '9,5o' is not an amount; write 9.50."]
    assert "has no product with this handle" in rows[3][3]
    assert rows[4] == ["mug", "", "9.50", ""]
    page = await pulled.commerce.list_batches(actor=pulled.actor, store="demo", page=PageRequest())
    assert page.items == []


async def test_a_mended_copy_is_imported_as_it_is(pulled: Any, written: Any) -> None:
    _, data = await marked(pulled, written("Handle,Variant Price\nmug,9o\n"))
    mended = data.decode().replace("9o,", "12,")
    result = await pulled.commerce.import_sheet(actor=pulled.actor, store="demo", path=written(mended, "mended.csv"))
    assert (result.staged, result.errors) == (1, 0)


async def test_a_workbook_comes_back_coloured_with_comments(pulled: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["Handle", "Option1 Value", "Variant Price"])
    book.active.append(["linen-shirt", "S", "12o"])
    book.active.append(["mug", None, 9.5])
    book.save(path)
    found, data = await marked(pulled, str(path))
    assert (found.format, found.marked, found.errors) == ("xlsx", 1, 1)
    page = openpyxl.load_workbook(io.BytesIO(data)).active
    bad, good = page["C2"], page["C3"]
    assert (bad.value, bad.fill.fgColor.rgb, "write" in bad.comment.text) == ("12o", "FFF8CBAD", True)
    assert (good.value, good.fill.fill_type, good.comment) == ("9.5", None, None)
    assert page["D1"].value == "Problem"
    assert page["D2"].value.startswith("Variant Price:")


async def test_a_sheet_that_cannot_be_read_to_its_end_says_where(pulled: Any, written: Any) -> None:
    found, data = await marked(pulled, written('Handle,Title\nmug,"Mug\n'))
    assert found.errors == 1
    assert "never closed" in data.decode()


@pytest.mark.parametrize("format", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", TEMPLATES)
async def test_a_template_has_no_column_that_an_import_does_not_know(
    pulled: Any,
    tmp_path: Path,
    kind: str,
    format: str,  # noqa: A002
) -> None:
    path = tmp_path / f"template.{format}"
    with path.open("wb") as file:
        titles = await pulled.commerce.write_template(actor=pulled.actor, kind=kind, format=format, file=file)
    found = await pulled.commerce.describe_columns(actor=pulled.actor, path=str(path))
    assert [one.title for one in found] == list(titles)
    assert {one.how for one in found} == {"known"}


async def test_the_template_of_products_is_imported_as_it_is(pulled: Any, tmp_path: Path) -> None:
    pulled.shop.store.delete_product(pulled.shop.store.find_product_by_handle("linen-shirt"))
    await pulled.pull()
    path = tmp_path / "template.csv"
    with path.open("wb") as file:
        await pulled.commerce.write_template(actor=pulled.actor, kind="products", format="csv", file=file)
    result = await pulled.commerce.import_sheet(
        actor=pulled.actor, store="demo", path=str(path), create=True, location="Main warehouse"
    )
    assert (result.staged, result.errors) == (1, 0)


async def test_a_template_that_there_is_not_names_those_there_are(pulled: Any) -> None:
    with pytest.raises(InvalidInput, match="Use products, prices, stock or delete"):
        await pulled.commerce.write_template(actor=pulled.actor, kind="orders", format="csv", file=io.BytesIO())
