"""Rows of an Excel workbook, read as a stream: of a sheet of a million rows one chunk is held.

Formulas count by the value that Excel kept beside them. Numbers, booleans and days become the text that a CSV file
would have; texts stay as they are, so a title `=SUM(A1)` is a title. openpyxl's way of reading is documented at
openpyxl.readthedocs.io/en/stable/optimized.html, read November 2026. Of the texts that cells share it takes `x005F_`
away by itself, so one that itself reads `_x000D_` comes as a carriage return; our own workbooks share no texts.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from itertools import islice
from os import SEEK_END
from typing import Any, BinaryIO

import openpyxl
from openpyxl.utils.escape import unescape

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.transfer.cells import text_of
from syncline.apps.commerce.transfer.formats import FileFormat, is_old_excel
from syncline.apps.commerce.transfer.problems import Problem, Severity
from syncline.apps.commerce.transfer.sheet import Line, Sheet, unreadable
from syncline.apps.commerce.transfer.sheet_columns import known_count

_LARGEST_PART = 4_000_000_000
_LARGEST_TEXTS = 400_000_000
"""Bytes, unpacked. A sheet is read in pieces, the texts that its cells share are held whole."""

_CHUNK_ROWS = 500
_CHUNK_BYTES = 1 << 20
# A cell with a formula and no value after it: written by a program that does not calculate.
_UNCALCULATED = re.compile(rb'<c r="([A-Z]{1,3}\d{1,7})"[^>]*><f(?:\s[^>]*)?(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>')
_LONGEST_FORMULA = 40_000

# What openpyxl says of parts that it does not need for values, such as drop-down lists.
_QUIET: dict[str, Any] = {"action": "ignore", "module": "openpyxl"}


def open_workbook(file: BinaryIO) -> Sheet:
    """The sheet whose first row has the most columns that are known. Raises `SheetUnreadable`."""
    if is_old_excel(file.read(8)):
        raise unreadable(
            "This is an Excel file of the old kind (.xls), or one with a password; save it as .xlsx without one."
        )
    file.seek(0)
    size = file.seek(0, SEEK_END)
    file.seek(0)
    _check_parts(file)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(**_QUIET)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            sheets = [one for one in book.worksheets if one.sheet_state == "visible"] or book.worksheets
            titles = {one.title: _titles(one) for one in sheets}
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile, SyntaxError) as error:
        raise _damaged(error) from error
    if not any(titles.values()):
        raise unreadable("The workbook is empty; save it again with its rows.")
    name = max(titles, key=lambda one: known_count(titles[one]))
    made = Sheet(FileFormat.XLSX, titles[name], iter(()), lambda: size)
    made.lines = _lines(book[name], len(titles[name]))
    if len(titles) > 1:
        reason = f"The workbook has {len(titles)} sheets, and only this one was read."
        made.problems.append(Problem(None, None, shortened(name), reason, Severity.NOTE))
    return made


def _damaged(error: Exception) -> Exception:
    reason = "The file is not an Excel workbook, or it is damaged; open it in Excel and save it again as .xlsx."
    return unreadable(reason, value=shortened(str(error)))


def _check_parts(file: BinaryIO) -> None:
    """Python's zip reader stops at the size that the list of parts states, so that list can be trusted."""
    try:
        with zipfile.ZipFile(file) as parts:
            for part in parts.infolist():
                limit = _LARGEST_PART if part.filename.startswith("xl/worksheets/") else _LARGEST_TEXTS
                if part.file_size > limit:
                    unpacked = f"{part.file_size / 1e9:.1f} GB"
                    raise unreadable(
                        f"A part of the workbook is {unpacked} when unpacked; save the sheet as CSV.",
                        value=part.filename,
                    )
                if part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml"):
                    _check_formulas(parts, part.filename)
    except zipfile.BadZipFile as error:
        raise _damaged(error) from error
    file.seek(0)


def _check_formulas(parts: zipfile.ZipFile, name: str) -> None:
    """A formula without its value would read as an empty cell, and an empty cell means "leave it"."""
    with parts.open(name) as part:
        rest = b""
        while chunk := part.read(_CHUNK_BYTES):
            text = rest + chunk
            found = _UNCALCULATED.search(text)
            if found is not None:
                cell = found[1].decode()
                reason = "The cell holds a formula that was never calculated; open the workbook in Excel and save it."
                row = int(re.sub(r"\D", "", cell))
                raise unreadable(reason, row=row, column=f"cell {cell}")
            rest = text[-_LONGEST_FORMULA:]


def _titles(sheet: Any) -> list[str]:
    # Programs other than Excel state dimensions that are not true.
    sheet.reset_dimensions()
    first = next(sheet.iter_rows(values_only=True, max_row=1), ())
    titles = [_text(value) for value in first]
    while titles and not titles[-1].strip():
        titles.pop()
    return titles


def _lines(sheet: Any, width: int) -> Iterator[Line]:
    rows = sheet.iter_rows(values_only=True, min_row=2)
    number = 1
    while True:
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings(**_QUIET)
                chunk = list(islice(rows, _CHUNK_ROWS))
        except (KeyError, ValueError, TypeError, zipfile.BadZipFile, SyntaxError, EOFError) as error:
            raise _damaged(error) from error
        if not chunk:
            return
        for row in chunk:
            number += 1
            cells = [_text(value) for value in row]
            if any(cells):
                yield number, _fitted(cells, width), ""


def _fitted(cells: list[str], width: int) -> list[str]:
    """Rows end where their last cell stands, and cells without a title that are empty are not there."""
    while len(cells) > width and not cells[-1]:
        cells.pop()
    return cells + [""] * (width - len(cells))


def _text(value: Any) -> str:
    # `_x000D_` is how a workbook writes a carriage return: ECMA-376 part 1, 22.9.2.19 (ST_Xstring).
    return unescape(value) if isinstance(value, str) else text_of(value)
