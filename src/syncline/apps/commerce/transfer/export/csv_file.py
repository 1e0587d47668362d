"""CSV as spreadsheets and Shopify's own importer read it: UTF-8, commas, quotes where needed."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import BinaryIO

from syncline.apps.commerce.transfer.cells import Cell, marked, text_of
from syncline.apps.commerce.transfer.export.columns import ColumnType, OutColumn
from syncline.apps.commerce.transfer.export.rows import Row


class CsvWriter:
    """With `marks`, a text that a spreadsheet would take for a formula, a number or a day gets an apostrophe before it,
    see `cells`."""

    def __init__(self, file: BinaryIO, columns: Sequence[OutColumn], *, marks: bool) -> None:
        self.left_out: Counter[str] = Counter()
        self._file = file
        # With line ends of both signs Python's writer puts a text with either of them in quotes.
        self._buffer = io.StringIO(newline="")
        self._writer = csv.writer(self._buffer, lineterminator="\r\n")
        self._is_text = [marks and column.type is ColumnType.TEXT for column in columns]
        self._writer.writerow([column.title for column in columns])
        self._flush()

    def write(self, rows: Iterable[Row]) -> int:
        count = 0
        for row in rows:
            self._writer.writerow(
                [_cell(value, is_text=is_text) for value, is_text in zip(row, self._is_text, strict=True)]
            )
            count += 1
        self._flush()
        return count

    def _flush(self) -> None:
        self._file.write(self._buffer.getvalue().encode())
        self._buffer.seek(0)
        self._buffer.truncate()

    def close(self) -> None:
        pass


def _cell(value: Cell, *, is_text: bool) -> object:
    if isinstance(value, str):
        return marked(value) if is_text else value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return text_of(value) if isinstance(value, Decimal | datetime | list) else value
