"""Opens a file of any format that can be imported; which it is, its first bytes say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from syncline.apps.commerce.transfer.formats import FileFormat, format_of_bytes
from syncline.apps.commerce.transfer.sheet import Sheet
from syncline.apps.commerce.transfer.sheet_text import open_text

_HEAD = 4096


def open_sheet(file: BinaryIO, *, encoding: str | None, ignore_unknown: bool, metafields: Sequence[str] = ()) -> Sheet:
    """`file` is binary, seekable and at its beginning. Raises `SheetUnreadable`."""
    head = file.read(_HEAD)
    file.seek(0)
    kind = format_of_bytes(head)
    # The readers of workbooks and of Parquet files bring large libraries, which nobody waits for who reads text.
    if kind is FileFormat.XLSX:
        from syncline.apps.commerce.transfer.workbook import open_workbook

        return open_workbook(file)
    if kind is FileFormat.PARQUET:
        from syncline.apps.commerce.transfer.parquet_rows import open_parquet

        return open_parquet(file)
    if kind is FileFormat.CSV or encoding is not None:
        return open_text(file, encoding)
    from syncline.apps.commerce.transfer.json_rows import open_json

    return open_json(file, kind, ignore_unknown=ignore_unknown, metafields=metafields)
