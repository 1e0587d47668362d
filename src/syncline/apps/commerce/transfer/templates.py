"""Empty sheets to begin with, each with rows that show how it is filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO

from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.apps.commerce.transfer.export.columns import ColumnType, OutColumn
from syncline.apps.commerce.transfer.export.csv_file import CsvWriter
from syncline.apps.commerce.transfer.export.rows import Row
from syncline.apps.commerce.transfer.export.workbook_file import WorkbookWriter
from syncline.apps.commerce.transfer.formats import FileFormat
from syncline.kernel.errors import FieldError, InvalidInput

_SHIRT = ("linen-shirt", "Size")
TEMPLATES: Mapping[str, tuple[Sequence[str], Sequence[Sequence[str]]]] = {
    "products": (
        (
            *("Title", "URL handle", "Description", "Vendor", "Type", "Tags", "Status"),
            *("Option1 name", "Option1 value", "SKU", "Barcode", "Price", "Compare-at price", "Cost per item"),
            *("Inventory quantity", "Weight value (grams)", "Product image URL", "Image alt text"),
        ),
        (
            (
                *("Linen Shirt", "linen-shirt", "<p>Cool.</p>", "Acme", "Shirt", "linen, summer", "draft"),
                *("Size", "S", "LS-S", "", "49.00", "", "18.50", "10", "180"),
                *("https://example.com/linen-shirt.jpg", "Linen shirt, front"),
            ),
            (
                *("", "linen-shirt", "", "", "", "", "", "", "M", "LS-M", "", "49.00", "", "18.50", "4", "190"),
                *("https://example.com/linen-shirt-back.jpg", "Linen shirt, back"),
            ),
        ),
    ),
    "prices": (
        ("URL handle", "Option1 name", "Option1 value", "SKU", "Price", "Compare-at price", "Cost per item"),
        ((*_SHIRT, "S", "LS-S", "45.00", "49.00", ""), (*_SHIRT, "M", "LS-M", "45.00", "49.00", "")),
    ),
    "stock": (
        ("Handle", "Option1 Name", "Option1 Value", "SKU", "Location", "Available"),
        ((*_SHIRT, "S", "LS-S", "Main warehouse", "10"), (*_SHIRT, "M", "LS-M", "Main warehouse", "4")),
    ),
    "delete": (("URL handle", "Command"), (("old-shirt", "delete"),)),
}
_FORMATS = (FileFormat.CSV, FileFormat.XLSX)


def write_template(kind: str, format: str, file: BinaryIO) -> Sequence[str]:  # noqa: A002 - the word everybody uses
    """The titles. Raises `InvalidInput` for a kind or a format that there is not."""
    if kind not in TEMPLATES:
        sentence = f"There is no template {kind!r}.{did_you_mean(kind, TEMPLATES)} Use {join_or(list(TEMPLATES))}."
        raise InvalidInput(sentence, fields=[FieldError("kind", sentence)])
    if format not in _FORMATS:
        sentence = f"A template is {join_or([one.value for one in _FORMATS])}; choose one of them."
        raise InvalidInput(sentence, fields=[FieldError("format", sentence)])
    titles, examples = TEMPLATES[kind]
    columns = [OutColumn(title, title, ColumnType.TEXT, lambda _: None) for title in titles]
    rows: list[Row] = [list(row) for row in examples]
    writer = (
        CsvWriter(file, columns, marks=False)
        if format == FileFormat.CSV
        else WorkbookWriter(file, columns, currency="USD", name=kind)
    )
    writer.write(rows)
    writer.close()
    return titles
