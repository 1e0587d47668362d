"""The rows of one product together, every row checked against those before it.

Memory is bounded by one product and the index of rows already seen, not by the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from syncline.apps.commerce.fields import Value
from syncline.apps.commerce.transfer.problems import Problem, Severity
from syncline.apps.commerce.transfer.row_index import RowIndex, key_of
from syncline.apps.commerce.transfer.sheet import Line
from syncline.apps.commerce.transfer.sheet_columns import Role
from syncline.apps.commerce.transfer.sheet_row import RowReader, SheetRow

MAX_VARIANTS = 2_048
"""What Shopify keeps of one product; more rows for one handle are a mistake in the sheet."""


@dataclass(slots=True)
class VariantSheet:
    """One variant row. `options` are its option values by position, () when the sheet names none. `fields` holds the
    given cells of the variant, and `available` among them; `grams` is the weight, whose unit is a field of its own.
    A row that names a `location` is about the stock there and nothing else; its SKU only says which variant."""

    row: int
    options: tuple[str, ...]
    fields: dict[str, Value]
    grams: str | None = None
    location: str | None = None


@dataclass(slots=True)
class ProductSheet:
    """The rows of one handle that stand together. `fields` are the product's given cells, all from row `row`.
    `earlier_row` is set when the handle stood further up too: then this is a further part of the same product.
    `images` are addresses and texts; `command` is new, merge, update or delete, where the sheet says one."""

    handle: str
    row: int
    fields: dict[str, Value] = field(default_factory=dict)
    option_names: tuple[str, ...] = ()
    variants: list[VariantSheet] = field(default_factory=list)
    earlier_row: int | None = None
    images: list[tuple[str, str | None]] = field(default_factory=list)
    command: str | None = None


@dataclass(slots=True)
class SheetBatch:
    """Some products and the problems met on the way. `rows` counts the data rows read so far, `position` the bytes."""

    products: list[ProductSheet] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0
    position: int = 0


class RowGrouper:
    """Groups rows by handle and remembers where each handle and each variant stood first."""

    def __init__(self, rows: RowReader) -> None:
        self._rows = rows
        self._current: ProductSheet | None = None
        # For each handle its first row, and above it 32 bits of what that row says of the product.
        self._handles = RowIndex()
        self._earlier_signature: int | None = None
        self._variants = RowIndex()
        self._return_noted = False

    def take(self, line: Line, batch: SheetBatch) -> None:
        """One record of the file."""
        number, cells, part = line
        row = self._rows.read(number, cells, batch.problems, part)
        if not row.handle:
            return
        if row.location is not None:
            row.product, row.grams = {}, None
            row.variant = {name: value for name, value in row.variant.items() if name in {"available", "sku"}}
        product = self._product(row, batch)
        self._take_option_names(row, product)
        if row.is_good:
            _take_command(row, product)
            self._take_product_fields(row, product)
        if row.is_good:
            self._take_variant(row, product)

    def finish(self, batch: SheetBatch) -> None:
        """No row of the last product follows, or what follows it in the file is not read."""
        current = self._current
        if current is not None and (current.fields or current.variants or current.images or current.command):
            batch.products.append(current)
        self._current = None

    def _product(self, row: SheetRow, batch: SheetBatch) -> ProductSheet:
        if self._current is not None and self._current.handle == row.handle:
            return self._current
        self.finish(batch)
        seen = self._handles.put(key_of(row.handle), _signature(row.product) << 32 | row.number)
        earlier = None if seen is None else seen & 0xFFFFFFFF
        self._earlier_signature = None if seen is None else seen >> 32
        if earlier is not None and not self._return_noted:
            self._return_noted = True
            reason = (
                f"The handle stood in row {earlier} already, with other products between; its rows are read as one "
                "product, and so are those of other handles that return."
            )
            title = self._rows.title(Role.HANDLE)
            row.problems.append(Problem(row.number, title, row.handle, reason, Severity.NOTE))
        self._current = ProductSheet(row.handle, row.number, earlier_row=earlier)
        return self._current

    def _take_option_names(self, row: SheetRow, product: ProductSheet) -> None:
        names = row.option_names
        if names and not product.option_names:
            product.option_names = names
        elif names and _folded(names) != _folded(product.option_names):
            reason = f"The option names differ from {', '.join(product.option_names)} further up; write them the same."
            row.wrong(self._rows.title(Role.OPTION_NAME), ", ".join(names), reason)

    def _take_product_fields(self, row: SheetRow, product: ProductSheet) -> None:
        """Product cells belong in a product's first row; other rows may leave them blank or repeat them."""
        if not row.product or product.fields == row.product:
            return
        if product.earlier_row is None and not product.fields and not product.variants:
            product.fields, product.row = row.product, row.number
            return
        if _signature(row.product) == self._earlier_signature:
            return
        first = product.row if product.earlier_row is None else product.earlier_row
        for name, value in row.product.items():
            if name not in product.fields or product.fields[name] != value:
                reason = f"What is said of the whole product belongs in its first row, {first}; move it or repeat it."
                row.wrong(self._rows.field_title(name), str(value), reason)

    def _take_variant(self, row: SheetRow, product: ProductSheet) -> None:
        options = row.option_values
        if not (options or row.variant or row.grams is not None):
            return
        sku = row.variant.get("sku")
        identity = options or (("sku", str(sku)) if sku is not None else ())
        identity += () if row.location is None else ("at", row.location)
        earlier = self._variants.put(key_of(product.handle, *map(str.casefold, identity)), row.number)
        if earlier is not None:
            shown = " / ".join(options) or (str(sku) if sku is not None else "no options")
            reason = f"The same handle and options stand in row {earlier} already; keep one of the two rows."
            row.wrong(self._rows.title(Role.OPTION_VALUE), f"{product.handle}: {shown}", reason)
        elif row.location is None and len(product.variants) >= MAX_VARIANTS:
            row.wrong(
                None, product.handle, f"Shopify keeps at most {MAX_VARIANTS:,} variants of a product; remove some."
            )
        else:
            product.variants.append(VariantSheet(row.number, options, row.variant, row.grams, row.location))


def _take_command(row: SheetRow, product: ProductSheet) -> None:
    if row.image is not None:
        product.images.append((row.image, row.image_alt))
    if row.command is None:
        return
    if product.command not in {None, row.command}:
        reason = f"Further up the product is to be {product.command}; write one command for a product."
        row.wrong("Command", row.command, reason)
        return
    product.command = row.command


def _signature(fields: Mapping[str, Value]) -> int:
    return key_of(repr(fields)) >> 32 if fields else 0


def _folded(names: Sequence[str]) -> list[str]:
    return [name.casefold() for name in names]
