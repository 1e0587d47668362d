"""A sheet, read whole: what the tests of reading sheets have in common."""

from __future__ import annotations

import io
from collections.abc import Iterable

from syncline.apps.commerce.transfer.problems import Problem, Severity
from syncline.apps.commerce.transfer.product_csv import read_products
from syncline.apps.commerce.transfer.product_rows import SheetBatch

HEADER = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty"


class Reading:
    """Everything that one reading gives, its batches joined."""

    def __init__(self, batches: Iterable[SheetBatch]) -> None:
        self.batches = list(batches)
        self.products = [product for batch in self.batches for product in batch.products]
        self.problems = [problem for batch in self.batches for problem in batch.problems]
        self.errors = [problem for problem in self.problems if problem.severity is Severity.ERROR]
        self.notes = [problem for problem in self.problems if problem.severity is Severity.NOTE]
        self.rows = self.batches[-1].rows


def read(
    content: str | bytes,
    *,
    currency: str = "USD",
    encoding: str | None = None,
    ignore_unknown: bool = False,
    max_rows: int = 1000,
    batch_products: int = 500,
) -> Reading:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return Reading(
        read_products(
            file,
            currency=currency,
            encoding=encoding,
            ignore_unknown=ignore_unknown,
            max_rows=max_rows,
            batch_products=batch_products,
        )
    )


def sheet(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows, ""])


def only_error(reading: Reading) -> Problem:
    (error,) = reading.errors
    return error
