"""What goes out and comes back unchanged stages nothing; one cell that was changed stages that one change."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from syncline.apps.commerce.contract import ChangeQuery, ImportResult, SheetRefused
from syncline.kernel.paging import PageRequest
from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.state import NewVariant, Store

FORMATS = ("csv", "xlsx", "json", "jsonl", "parquet")
Export = Callable[..., Awaitable[Path]]
PRODUCTS = 60

# Titles, codes and option values that a spreadsheet would make something else of, or that a file may trip over.
DIRT = (
    "=SUM(A1:A2)", "+49 30 1234", "-5 °C Jacket", "@home", "'=1", "''", "'quoted", "00123", "3-11", "1e5", "TRUE",
    'a "b", c; d\te', "two\r\nlines\nand\rthree", "  padded  ", "_x000D_ literal", "🧶\u2028x", "قميص", "a\x0bb",
)  # fmt: skip


# Of every kind of type: text to the letter, numbers, lists, objects.
METAFIELDS = (
    ("care", "multi_line_text_field", "wash cold\r\nhang to dry"),
    ("grade", "single_line_text_field", "=A+"),
    ("height", "number_decimal", "12.50"),
    ("uses", "list.single_line_text_field", '["indoor; dry","out, door"]'),
    ("box", "dimension", '{"value": 25.0, "unit": "cm"}'),
    ("fit", "boolean", "true"),
)


def fill(store: Store) -> None:
    generate(store, products=PRODUCTS, locations=1)
    for at, number in enumerate([*store.products][:12]):
        key, kind, value = METAFIELDS[at % len(METAFIELDS)]
        store.metafields.set("Product", number, "custom", key, kind, value)
        store.metafields.set("ProductVariant", store.products[number].variant_ids[-1], "custom", key, kind, value)
    (place,) = store.locations
    for number, text in enumerate(DIRT):
        store.add_product(
            title=text,
            handle=f"dirt-{number}",
            vendor=text,
            product_type=text,
            description_html=text,
            tags=[text.replace(",", "").strip()],
            seo_title=text,
            options=[("Size", [text, "other"])],
            variants=[
                NewVariant([text], "0.00", text, barcode=text, quantities={place: -3}, weight_unit="POUNDS"),
                NewVariant(["other"], "12345678.90", "", barcode="0012345678905", quantities={place: 0}),
            ],
            log=False,
        )


def fill_two_places(store: Store) -> None:
    generate(store, products=PRODUCTS, locations=2)


@pytest.fixture
async def dirty(open_shop: Any, make_pulled: Any) -> Any:
    """Everything that is hard to carry, at one location."""
    return await make_pulled(await open_shop(fill=fill))


@pytest.fixture
def export(tmp_path: Path) -> Export:
    async def write(pulled: Any, format: str, **options: Any) -> Path:  # noqa: A002 - the contract's word
        path = tmp_path / f"store.{format}"
        with path.open("wb") as file:
            await pulled.commerce.export_store(actor=pulled.actor, store="demo", file=file, format=format, **options)
        return path

    return write


async def taken(pulled: Any, path: Path, **options: Any) -> ImportResult:
    result: ImportResult = await pulled.commerce.import_sheet(
        actor=pulled.actor, store="demo", path=str(path), **options
    )
    return result


async def changes(pulled: Any, result: ImportResult) -> list[tuple[str, Any]]:
    assert result.batch is not None
    query = ChangeQuery(batch_id=result.batch.id)
    page = await pulled.commerce.list_changes(actor=pulled.actor, query=query, page=PageRequest(limit=100))
    return [(change.kind, change.after) for change in page.items]


@pytest.mark.parametrize("format", FORMATS)
async def test_what_comes_back_unchanged_stages_nothing(dirty: Any, export: Export, format: str) -> None:  # noqa: A002
    result = await taken(dirty, await export(dirty, format))
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    assert (result.staged, result.batch) == (0, None)
    assert result.products == PRODUCTS + len(DIRT)
    # Each product, each variant and each quantity was compared.
    variants = round(PRODUCTS * 4.5) + 2 * len(DIRT)
    metafields = len(dirty.shop.store.metafields.by_id)
    assert result.unchanged == PRODUCTS + len(DIRT) + 2 * variants + metafields
    assert metafields == 24


@pytest.mark.parametrize("format", ["csv", "xlsx", "jsonl", "parquet"])
async def test_a_changed_metafield_is_that_one_change(dirty: Any, export: Export, format: str) -> None:  # noqa: A002
    path = await export(dirty, format, columns=["metafield.custom.grade"])
    path.write_bytes(_with_other_grade(path))
    result = await taken(dirty, path)
    wanted = {"type": "single_line_text_field", "value": "B"}
    assert await changes(dirty, result) == [("product_metafield", {"metafield.custom.grade": wanted})]


def _with_other_grade(path: Path) -> bytes:
    return GRADED[path.suffix](path)


def _graded_workbook(path: Path) -> bytes:
    book = openpyxl.load_workbook(path)
    cells = [cell for row in book.active.iter_rows() for cell in row if cell.value == "=A+"]
    cells[0].value = "B"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _graded_parquet(path: Path) -> bytes:
    found = pq.read_table(path)
    rows = found.to_pylist()
    first = next(row["handle"] for row in rows if row["metafield.custom.grade"])
    for row in rows:
        row["metafield.custom.grade"] = "B" if row["handle"] == first else row["metafield.custom.grade"]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=found.schema), buffer)
    return buffer.getvalue()


GRADED: dict[str, Callable[[Path], bytes]] = {
    ".csv": lambda path: path.read_bytes().replace(b"'=A+", b"B", 1),
    ".jsonl": lambda path: path.read_bytes().replace(b'"=A+"', b'"B"', 1),
    ".xlsx": _graded_workbook,
    ".parquet": _graded_parquet,
}


@pytest.mark.parametrize("format", FORMATS)
async def test_stock_at_several_locations_comes_back_unchanged(
    open_shop: Any,
    make_pulled: Any,
    export: Export,
    format: str,  # noqa: A002
) -> None:
    pulled = await make_pulled(await open_shop(fill=fill_two_places))
    result = await taken(pulled, await export(pulled, format, kind="inventory"))
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    levels = len(pulled.shop.store.levels)
    assert (result.staged, result.unchanged, levels > 300) == (0, levels, True)


async def test_json_carries_the_stock_of_every_location(open_shop: Any, make_pulled: Any, export: Export) -> None:
    pulled = await make_pulled(await open_shop(fill=fill_two_places))
    result = await taken(pulled, await export(pulled, "jsonl"))
    variants = round(PRODUCTS * 4.5)
    assert (result.staged, result.rows) == (0, PRODUCTS)
    assert result.unchanged == PRODUCTS + variants + len(pulled.shop.store.levels)


def edit_csv(path: Path) -> None:
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))
    at = rows[0].index("Price")
    row = next(row for row in rows if row[1] == "dirt-7" and row[rows[0].index("SKU")])
    row[at] = "99.95"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def edit_xlsx(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book.active
    titles = [cell.value for cell in sheet[1]]
    row = next(row for row in sheet.iter_rows(min_row=2) if row[1].value == "dirt-7" and row[titles.index("SKU")].value)
    row[titles.index("Price")].value = 99.95
    book.save(path)


def edit_jsonl(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    at, found = next((at, json.loads(line)) for at, line in enumerate(lines) if '"handle":"dirt-7"' in line)
    found["variants"][0]["price"] = 99.95
    lines[at] = json.dumps(found)
    path.write_text("\n".join(lines), encoding="utf-8")


def edit_json(path: Path) -> None:
    products = json.loads(path.read_bytes())
    found = next(one for one in products if one["handle"] == "dirt-7")
    found["variants"][0]["price"] = "99.950"
    path.write_text(json.dumps(products, indent=2), encoding="utf-8")


def edit_parquet(path: Path) -> None:
    found = pq.read_table(path)
    rows = found.to_pylist()
    row = next(row for row in rows if row["handle"] == "dirt-7" and row["sku"])
    row["price"] = Decimal("99.95")
    pq.write_table(pa.Table.from_pylist(rows, schema=found.schema), path)


EDITS = {"csv": edit_csv, "xlsx": edit_xlsx, "json": edit_json, "jsonl": edit_jsonl, "parquet": edit_parquet}


@pytest.mark.parametrize("format", FORMATS)
async def test_a_changed_cell_is_that_one_change(dirty: Any, export: Export, format: str) -> None:  # noqa: A002
    path = await export(dirty, format)
    EDITS[format](path)
    result = await taken(dirty, path)
    assert await changes(dirty, result) == [("variant", {"price": "99.95"})]


WRITTEN = {
    "a semicolon": lambda rows: text_of(rows, delimiter=";").encode(),
    "a tab and UTF-16": lambda rows: text_of(rows, delimiter="\t").encode("utf-16"),
    "a byte order mark": lambda rows: text_of(rows).encode("utf-8-sig"),
    "line feeds only": lambda rows: text_of(rows, lineterminator="\n", quoting=csv.QUOTE_ALL).encode(),
}


def text_of(rows: list[list[str]], **dialect: Any) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, **dialect).writerows(rows)
    return buffer.getvalue()


@pytest.mark.parametrize("manner", WRITTEN)
async def test_a_csv_that_other_programs_saved_comes_back_unchanged(dirty: Any, export: Export, manner: str) -> None:
    path = await export(dirty, "csv")
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))
    path.write_bytes(WRITTEN[manner](rows))
    result = await taken(dirty, path)
    assert (result.staged, result.errors) == (0, 0)
    assert result.products == PRODUCTS + len(DIRT)


async def test_a_sheet_in_windows_letters_says_so_and_is_read_when_it_is_named(dirty: Any, tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes("URL handle,Vendor\ndirt-1,Müller\n".encode("cp1252"))
    with pytest.raises(SheetRefused) as caught:
        await taken(dirty, path)
    found: Any = caught.value.extra["result"]
    assert "for Excel in Western Europe and America windows-1252" in found["problems"][0]["reason"]
    assert await changes(dirty, await taken(dirty, path, encoding="windows-1252")) == [
        ("product", {"vendor": "Müller"})
    ]


async def test_a_workbook_saved_from_our_csv_by_a_spreadsheet_changes_nothing_but_names_lost_zeros(
    dirty: Any, export: Export, tmp_path: Path
) -> None:
    """A spreadsheet makes numbers of what looks like one; what bears our mark stays text, with the mark."""
    path = await export(dirty, "csv")
    saved = tmp_path / "saved.xlsx"
    book = xlsxwriter.Workbook(saved, {"strings_to_numbers": True, "strings_to_formulas": True})
    sheet = book.add_worksheet()
    rows = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))
    # See `workbook`: the one text that openpyxl does not give back.
    for at, row in enumerate(row for row in rows if "_x000D_" not in "".join(row)):
        sheet.write_row(at, 0, row)
    book.close()
    result = await taken(dirty, saved)
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    assert [change for change in await changes_or_none(dirty, result) if "tags" not in change[1]] == []


async def changes_or_none(pulled: Any, result: ImportResult) -> list[tuple[str, Any]]:
    return [] if result.batch is None else await changes(pulled, result)


async def test_zeros_that_a_spreadsheet_dropped_are_named(dirty: Any, tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("URL handle,Option1 value,Barcode\ndirt-1,other,12345678905\n", encoding="utf-8")
    with pytest.raises(SheetRefused) as caught:
        await taken(dirty, path)
    found: Any = caught.value.extra["result"]
    assert [(one["row"], one["column"], one["value"]) for one in found["problems"]] == [(2, "barcode", "12345678905")]
    assert "The store has 0012345678905; a spreadsheet drops the zeros" in found["problems"][0]["reason"]
