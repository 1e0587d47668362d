"""An Excel workbook, written row by row: numbers are numbers, codes are text, the titles stay in sight.

A text is written as a text and is never computed, whatever it begins with. Limits: support.microsoft.com, "Excel
specifications and limits", read November 2026.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from syncline.apps.commerce.transfer.cells import Cell, text_of
from syncline.apps.commerce.transfer.export.columns import ColumnType, OutColumn
from syncline.apps.commerce.transfer.export.rows import Row
from syncline.kernel.money import minor_digits

MOST_TEXT = 32_767
"""Characters of one cell."""

_NOT_IN_XML = re.compile("[\ufffe\uffff]")
_WIDTHS = {"title": 40, "handle": 28, "description_html": 40, "tags": 24, "seo_title": 24, "seo_description": 32}
_NUMBERS = {ColumnType.MONEY, ColumnType.DECIMAL, ColumnType.INTEGER}


class WorkbookWriter:
    """`constant_memory` keeps one row; the rows wait in a folder of our own until the workbook is closed. It goes with
    the writer, whatever ends that: the library leaves its files where it was interrupted."""

    def __init__(self, file: BinaryIO, columns: Sequence[OutColumn], *, currency: str, name: str) -> None:
        self.left_out: Counter[str] = Counter()
        self._columns = columns
        folder = tempfile.mkdtemp(prefix="syncline-workbook-")
        self._remove_folder = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._book = xlsxwriter.Workbook(
            file,
            {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "tmpdir": folder},
        )
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        self._at = 1
        self._lay_out(currency)

    def _lay_out(self, currency: str) -> None:
        bold = self._book.add_format({"bold": True})
        digits = minor_digits(currency)
        styles = {
            ColumnType.TEXT: self._book.add_format({"num_format": "@"}),
            ColumnType.MONEY: self._book.add_format({"num_format": f"0.{'0' * digits}" if digits else "0"}),
        }
        # Codes are text on purpose: no green corner at each of them.
        self._sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        for place, column in enumerate(self._columns):
            self._sheet.set_column(place, place, _WIDTHS.get(column.name, 14), styles.get(column.type))
        for place, column in enumerate(self._columns):
            self._sheet.write_string(0, place, column.title, bold)
        self._styles = [styles.get(column.type) for column in self._columns]

    def write(self, rows: Iterable[Row]) -> int:
        first = self._at
        for row in rows:
            for place, value in enumerate(row):
                if value is not None and value != "":
                    self._write(place, value)
            self._at += 1
        return self._at - first

    def _write(self, place: int, value: Cell) -> None:
        style = self._styles[place]
        if isinstance(value, bool):
            self._sheet.write_boolean(self._at, place, value, style)
            return
        if isinstance(value, datetime):
            value = value.astimezone(UTC).isoformat()
        number = _number(value) if self._columns[place].type in _NUMBERS else None
        if number is not None:
            self._sheet.write_number(self._at, place, number, style)
            return
        text = text_of(value)
        if len(text) > MOST_TEXT or _NOT_IN_XML.search(text):
            self.left_out[self._columns[place].title] += 1
        else:
            self._sheet.write_string(self._at, place, text, style)

    def close(self) -> None:
        try:
            self._book.close()
        except FileCreateError as error:
            raise OSError(*_reason(error)) from error
        finally:
            self._remove_folder()


def _reason(error: FileCreateError) -> tuple[Any, ...]:
    cause = error.args[0] if error.args else error
    return cause.args if isinstance(cause, OSError) else (0, str(error))


def _number(value: Any) -> float | None:
    """`value` as the floating-point number that Excel keeps with 15 digits; None when that is another number."""
    exact = Decimal(str(value))
    number = float(exact)
    return number if Decimal(f"{number:.15g}") == exact else None
