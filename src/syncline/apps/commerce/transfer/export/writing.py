"""Which writer a kind of file has, and what of a store goes through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import BinaryIO

from syncline.apps.commerce.transfer.export.columns import OutColumn, Spot
from syncline.apps.commerce.transfer.export.csv_file import CsvWriter
from syncline.apps.commerce.transfer.export.json_file import JsonWriter
from syncline.apps.commerce.transfer.export.records import ProductRecord
from syncline.apps.commerce.transfer.export.rows import Row, product_object, stock_object, stock_row, table_rows
from syncline.apps.commerce.transfer.export.writer import TableWriter
from syncline.apps.commerce.transfer.formats import FileFormat


class Output:
    """One file being written, by products or by places in stock."""

    def __init__(
        self,
        file: BinaryIO,
        kind: FileFormat,
        columns: Sequence[OutColumn],
        *,
        currency: str,
        name: str,
        marks: bool,
    ) -> None:
        """`name` is what a workbook calls its sheet; `marks`, see `cells`."""
        self._columns = columns
        self._repeats = kind is FileFormat.PARQUET
        self._names = frozenset(column.name for column in columns)
        self._json: JsonWriter | None = None
        self._table: TableWriter | None = None
        if kind in {FileFormat.JSON, FileFormat.JSONL}:
            self._json = JsonWriter(file, is_array=kind is FileFormat.JSON)
        else:
            self._table = _table_writer(file, kind, columns, currency=currency, name=name, marks=marks)

    @property
    def left_out(self) -> Counter[str]:
        return self._table.left_out if self._table is not None else Counter()

    def write_products(self, products: Sequence[ProductRecord]) -> int:
        """How many rows or objects that were."""
        if self._json is not None:
            return self._json.write(product_object(product, self._names) for product in products)
        rows = (table_rows(product, self._columns, repeats=self._repeats) for product in products)
        return self._written(chain.from_iterable(rows))

    def write_stock(self, spots: Sequence[Spot]) -> int:
        if self._json is not None:
            return self._json.write(stock_object(spot, self._columns) for spot in spots)
        return self._written(stock_row(spot, self._columns) for spot in spots)

    def _written(self, rows: Iterable[Row]) -> int:
        assert self._table is not None
        return self._table.write(rows)

    def close(self) -> None:
        """The file is whole after this."""
        for writer in (self._json, self._table):
            if writer is not None:
                writer.close()


def _table_writer(
    file: BinaryIO, kind: FileFormat, columns: Sequence[OutColumn], *, currency: str, name: str, marks: bool
) -> TableWriter:
    # These bring large libraries, which nobody waits for who writes text.
    if kind is FileFormat.XLSX:
        from syncline.apps.commerce.transfer.export.workbook_file import WorkbookWriter

        return WorkbookWriter(file, columns, currency=currency, name=name)
    if kind is FileFormat.PARQUET:
        from syncline.apps.commerce.transfer.export.parquet_file import ParquetWriter

        return ParquetWriter(file, columns)
    return CsvWriter(file, columns, marks=marks)
