"""A Parquet file, written by row groups, with a type for each column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from syncline.apps.commerce.transfer.cells import Cell
from syncline.apps.commerce.transfer.export.columns import ColumnType, OutColumn
from syncline.apps.commerce.transfer.export.rows import Row

_GROUP_ROWS = 20_000
_GROUP_CHARACTERS = 8_000_000
_MONEY = pa.decimal128(38, 6)
_STEP = Decimal("0.000001")
_TYPES = {
    ColumnType.TEXT: pa.string(),
    ColumnType.MONEY: _MONEY,
    ColumnType.DECIMAL: pa.float64(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.MOMENT: pa.timestamp("us", tz="UTC"),
    ColumnType.TEXTS: pa.list_(pa.string()),
}


class ParquetWriter:
    """Columns bear our names. A row group is written when it has 20,000 rows or 8 million characters."""

    def __init__(self, file: BinaryIO, columns: Sequence[OutColumn]) -> None:
        self.left_out: Counter[str] = Counter()
        self._columns = columns
        self._schema = pa.schema([(column.name, _TYPES[column.type]) for column in columns])
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._cells: list[list[Any]] = [[] for _ in columns]
        self._characters = 0

    def write(self, rows: Iterable[Row]) -> int:
        count = 0
        for row in rows:
            for column, cells, value in zip(self._columns, self._cells, row, strict=True):
                cells.append(self._typed(column, value))
                self._characters += len(value) if isinstance(value, str) else 0
            count += 1
            if len(self._cells[0]) >= _GROUP_ROWS or self._characters >= _GROUP_CHARACTERS:
                self._flush()
        return count

    def _typed(self, column: OutColumn, value: Cell) -> Any:
        if value is None:
            return None
        if column.type is ColumnType.MONEY:
            amount = Decimal(str(value))
            if amount != amount.quantize(_STEP):
                self.left_out[column.name] += 1
                return None
            return amount
        return float(str(value)) if column.type is ColumnType.DECIMAL else value

    def _flush(self) -> None:
        self._writer.write_table(pa.table(self._cells, schema=self._schema))
        self._cells = [[] for _ in self._columns]
        self._characters = 0

    def close(self) -> None:
        if self._cells[0]:
            self._flush()
        self._writer.close()
