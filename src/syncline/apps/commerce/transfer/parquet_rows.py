"""Rows of a Parquet file, read as a stream of small batches."""

from __future__ import annotations

from collections.abc import Iterator
from os import SEEK_END
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.transfer.cells import text_of
from syncline.apps.commerce.transfer.formats import FileFormat
from syncline.apps.commerce.transfer.sheet import Line, Sheet, SheetUnreadable, unreadable

_ROWS = 1_000
_BUFFER_BYTES = 1 << 20


def open_parquet(file: BinaryIO) -> Sheet:
    """Titles are the names of the columns; rows count from 1, as nothing stands above them. Raises
    `SheetUnreadable`."""
    size = file.seek(0, SEEK_END)
    file.seek(0)
    try:
        parquet = pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from error
    done = [0]
    total = max(parquet.metadata.num_rows, 1)
    return Sheet(FileFormat.PARQUET, parquet.schema_arrow.names, _lines(parquet, done), lambda: size * done[0] // total)


def _damaged(error: Exception) -> SheetUnreadable:
    return unreadable("The Parquet file is damaged or not whole; write it again.", value=shortened(str(error)))


def _lines(parquet: pq.ParquetFile, done: list[int]) -> Iterator[Line]:
    try:
        for batch in parquet.iter_batches(batch_size=_ROWS):
            columns = [column.to_pylist() for column in batch.columns]
            for cells in zip(*columns, strict=True):
                done[0] += 1
                yield done[0], [text_of(cell) for cell in cells], ""
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from error
