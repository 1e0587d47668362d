from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from syncline.apps.commerce.transfer import workbook
from syncline.apps.commerce.transfer.opening import open_sheet
from syncline.apps.commerce.transfer.product_csv import read_products
from syncline.apps.commerce.transfer.product_rows import SheetBatch
from syncline.apps.commerce.transfer.sheet import Sheet, SheetUnreadable

Rows = list[list[Any]]


def saved(rows: Rows, edit: Callable[[Any], None] = lambda _book: None) -> io.BytesIO:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    edit(book)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def opened(file: io.BytesIO) -> Sheet:
    return open_sheet(file, encoding=None, ignore_unknown=False)


def test_values_become_the_text_of_cells() -> None:
    sheet = opened(saved([["Handle", "SKU", "Price", "Charge tax", "Type"], ["a", 123, 12.5, True, date(2026, 1, 2)]]))
    assert sheet.titles == ["Handle", "SKU", "Price", "Charge tax", "Type"]
    assert list(sheet.lines) == [(2, ["a", "123", "12.5", "true", "2026-01-02T00:00:00"], "")]


def test_short_and_empty_rows_and_cells_beyond_the_titles() -> None:
    rows: Rows = [["Handle", "Price", None], ["a", 1], [], [None, None], ["b", None, None, "beyond"]]
    lines = list(opened(saved(rows)).lines)
    assert lines == [(2, ["a", "1"], ""), (5, ["b", "", "", "beyond"], "")]


def test_the_sheet_with_the_most_known_columns_is_read_and_said() -> None:
    def add(book: Any) -> None:
        book.create_sheet("Notes").append(["anything"])
        book.create_sheet("Goods").append(["Handle", "Price"])
        book["Goods"].append(["a", 1])
        hidden = book.create_sheet("Hidden")
        hidden.append(["Handle", "Title", "Price", "SKU"])
        hidden.sheet_state = "hidden"

    sheet = opened(saved([["x"]], add))
    assert [cells for _, cells, _ in sheet.lines] == [["a", "1"]]
    (note,) = sheet.problems
    assert (note.value, note.reason) == ("Goods", "The workbook has 3 sheets, and only this one was read.")


def test_a_formula_that_was_never_calculated_stops_the_reading() -> None:
    """openpyxl writes formulas without their values, as programs that are no spreadsheet do."""
    with pytest.raises(SheetUnreadable) as caught:
        opened(saved([["Handle", "Price"], ["a", "=1+1"]]))
    problem = caught.value.problem
    assert (problem.row, problem.column) == (2, "cell B2")
    assert "open the workbook in Excel and save it" in problem.reason


def test_a_formula_counts_by_its_value() -> None:
    file = saved([["Handle", "Price"], ["a", "=1+1"]])
    made = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for part in old.infolist():
            new.writestr(part, old.read(part).replace(b"<v />", b"<v>2</v>").replace(b"<v/>", b"<v>2</v>"))
    made.seek(0)
    assert [cells for _, cells, _ in opened(made).lines] == [["a", "2"]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04" + bytes(200), "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(200), "old kind (.xls), or one with a password"),
        (b"PAR1" + bytes(200), "The Parquet file is damaged"),
    ],
)
def test_a_damaged_file_is_a_sentence(content: bytes, reason: str) -> None:
    (batch,) = read_products(io.BytesIO(content), currency="USD")
    assert [problem.stops for problem in batch.problems] == [True]
    assert reason in batch.problems[0].reason


def test_an_empty_workbook_and_a_zip_of_something_else() -> None:
    with pytest.raises(SheetUnreadable, match="empty"):
        opened(saved([]))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as parts:
        parts.writestr("photo.jpg", b"x")
    file.seek(0)
    with pytest.raises(SheetUnreadable, match="not an Excel workbook"):
        opened(file)


def test_a_workbook_that_unpacks_to_more_than_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_LARGEST_TEXTS", 100)
    with pytest.raises(SheetUnreadable, match="when unpacked; save the sheet as CSV"):
        opened(saved([["Handle"], ["a"]]))


def test_a_number_shortened_by_excel_is_its_digits_again() -> None:
    batches: list[SheetBatch] = list(
        read_products(saved([["Handle", "Barcode"], ["a", 8.59123456789e11]]), currency="USD")
    )
    assert batches[0].products[0].variants[0].fields == {"barcode": "859123456789"}


def test_parquet_rows_count_from_one() -> None:
    file = io.BytesIO()
    table = pa.table({"handle": ["a", "b"], "tags": [["x", "y"], None], "price": [1.5, None], "taxable": [True, None]})
    pq.write_table(table, file)
    file.seek(0)
    assert list(opened(file).lines) == [(1, ["a", "x, y", "1.5", "true"], ""), (2, ["b", "", "", ""], "")]
