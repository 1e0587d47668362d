"""The cells of a chunk column by column, as the texts that are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Self, cast

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.transfer.cells import unmarked
from syncline.apps.commerce.transfer.chunks import Chunk
from syncline.apps.commerce.transfer.plain_cells import (
    JOINT,
    STOCK,
    TAG_JOINT,
    Plain,
    PlainColumn,
    plain_columns,
    repeating,
)
from syncline.apps.commerce.transfer.sheet_columns import Column, Role
from syncline.apps.commerce.transfer.sheet_row import RowReader


@dataclass(frozen=True, slots=True)
class Stock:
    """Where quantities are meant. `place` is for rows that name no location, None when nobody knows; those quantities
    are left once that `is_told`. `places` has every location by the name that a sheet calls it by."""

    place: int | None
    is_told: bool
    places: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a sheet are compared. `names` and `values` are the option columns by place; a sheet that has the
    second option and not the first `is_comparable` to nothing."""

    width: int
    product: Sequence[PlainColumn]
    variant: Sequence[PlainColumn]
    stock: PlainColumn | None
    names: Sequence[int]
    values: Sequence[int]
    location: int | None
    unnamed: Sequence[int]
    command: int | None
    image: int | None
    is_comparable: bool
    option_name: Plain
    option_value: Plain

    @classmethod
    def of(cls, columns: Sequence[Column], rows: RowReader, currency: str) -> Self:
        cells = plain_columns(columns, rows, currency)
        names, values = _places(columns, Role.OPTION_NAME), _places(columns, Role.OPTION_VALUE)
        return cls(
            width=len(columns),
            product=[one for one in cells if one.owner is Owner.PRODUCT],
            variant=[one for one in cells if one.owner is Owner.VARIANT],
            stock=next((one for one in cells if one.owner is Owner.INVENTORY_LEVEL), None),
            names=names or (),
            values=values or (),
            location=next((column.index for column in columns if column.role is Role.LOCATION), None),
            unnamed=[column.index for column in columns if column.role is Role.BLANK],
            command=next((column.index for column in columns if column.role is Role.COMMAND), None),
            image=next((column.index for column in columns if column.role is Role.IMAGE), None),
            is_comparable=None not in {names, values},
            option_name=repeating(_option),
            option_value=repeating(_option),
        )

    @property
    def by_sku(self) -> bool:
        return not self.values and any(one.name == "sku" for one in self.variant)


def _places(columns: Sequence[Column], role: Role) -> tuple[int, ...] | None:
    found = {column.target: column.index for column in columns if column.role is role}
    return tuple(found[place] for place in range(len(found))) if set(found) == set(range(len(found))) else None


def _option(text: str) -> str:
    return unmarked(text.strip())


@dataclass(frozen=True, slots=True)
class Filled:
    """A column that holds anything: what stands in it and what that means. A location's rows are about its stock only,
    so that here they are blank."""

    name: str
    raw: Sequence[str]
    cells: Sequence[str]


class ChunkTable:
    """`doubtful` are the rows that have to be read. `variant` ends with the quantities of rows that name no location,
    if anybody knows where they are meant. `is_line` says which rows are about a variant, None for all of them."""

    def __init__(self, layout: Layout, chunk: Chunk, stock: Stock) -> None:
        self.doubtful: set[int] = set()
        self.height = len(chunk.lines)
        self._columns = self._turned([line[1] for line in chunk.lines], layout.width)
        for at in layout.unnamed:
            self.doubt(self._columns[at])
        if layout.command is not None:
            self.doubt(self._columns[layout.command])
        self._images = self._columns[layout.image] if layout.image is not None else ()
        self.places = self._places(layout, stock)
        self.names = self._joined(layout.names, layout.option_name) if layout.names else None
        self.product = list(self._filled(layout.product))
        self.variant = list(self._filled(layout.variant))
        quantity = next(self._filled([layout.stock] if layout.stock else [], hides=False), None)
        self.quantities = quantity.cells if quantity is not None and self.places is not None else None
        if quantity is not None:
            self._take_stock(quantity, stock)
        self.keys = self._keys(layout)
        self.marked = self._marked(layout)
        self.is_line = self._lines(layout)

    def is_clean(self, *separators: str) -> bool:
        """Whether no cell holds one of the separators, or what the database cannot take."""
        text = "".join(map("".join, self._columns))
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
        return not any(sign in text for sign in ("\0", JOINT, TAG_JOINT, *separators))

    def images(self, begin: int, end: int) -> list[str]:
        """The addresses that these rows name."""
        return [address for text in self._images[begin:end] if (address := unmarked(text.strip()))]

    def doubt(self, column: Sequence[object]) -> None:
        self.doubtful.update(compress(range(self.height), column))

    def _turned(self, rows: list[list[str]], width: int) -> list[tuple[str, ...]]:
        if {*map(len, rows)} - {width}:
            for at, row in enumerate(rows):
                if len(row) != width:
                    self.doubtful.add(at)
                    rows[at] = [""] * width
        return list(zip(*rows, strict=True))

    def _places(self, layout: Layout, stock: Stock) -> list[str] | None:
        """For each row the location it names; None when none does."""
        if layout.location is None or not any(self._columns[layout.location]):
            return None
        names = [unmarked(text.strip()) for text in self._columns[layout.location]]
        self.doubtful.update(
            at
            for at, (name, text) in enumerate(zip(names, self._columns[layout.location], strict=True))
            if text and name not in stock.places
        )
        return names

    def _cells(self, column: Sequence[str], read: Plain) -> list[str]:
        cells = list(map(read, column))
        if None in cells:
            self.doubtful.update(at for at, cell in enumerate(cells) if cell is None)
            return [cell or "" for cell in cells]
        return cast("list[str]", cells)

    def _filled(self, columns: Iterable[PlainColumn], *, hides: bool = True) -> Iterator[Filled]:
        for column in columns:
            raw: Sequence[str] = self._columns[column.index]
            if not any(raw):
                continue
            cells = self._cells(raw, column.read)
            if hides and self.places is not None:
                raw = ["" if place else text for place, text in zip(self.places, raw, strict=True)]
                cells = ["" if place else text for place, text in zip(self.places, cells, strict=True)]
            yield Filled(column.name, raw, cells)

    def _take_stock(self, quantity: Filled, stock: Stock) -> None:
        raw, cells = quantity.raw, quantity.cells
        if self.places is not None:
            raw = ["" if place else text for place, text in zip(self.places, raw, strict=True)]
            cells = ["" if place else text for place, text in zip(self.places, cells, strict=True)]
        if stock.place is not None:
            self.variant.append(Filled(STOCK, raw, cells))
        elif not stock.is_told:
            self.doubt(raw)

    def _joined(self, places: Sequence[int], read: Plain) -> list[str]:
        """The option names, or values, of each row."""
        columns = [self._cells(self._columns[at], read) for at in places]
        return columns[0] if len(columns) == 1 else list(map(JOINT.join, zip(*columns, strict=True)))

    def _keys(self, layout: Layout) -> list[str]:
        if layout.values:
            return self._joined(layout.values, layout.option_value)
        sku = next((one for one in layout.variant if one.name == "sku"), None)
        return [""] * self.height if sku is None else self._cells(self._columns[sku.index], sku.read)

    def _marked(self, layout: Layout) -> list[bool] | None:
        """Rows with an option value that may bear a mark; None when there are none."""
        columns = [self._columns[at] for at in layout.values]
        if not any("'" in "".join(column) for column in columns):
            return None
        return [any(cell.lstrip().startswith("'") for cell in cells) for cells in zip(*columns, strict=True)]

    def _lines(self, layout: Layout) -> list[bool] | None:
        """A row without a key is about no variant, unless it says something of one; then it is read, to learn which."""
        blank = JOINT * max(0, len(layout.values) - 1)
        named = [key != blank for key in self.keys]
        if self.places is None and all(named):
            return None
        columns = [column.raw for column in self.variant]
        filled = list(map(any, zip(*columns, strict=True))) if columns else [False] * self.height
        if layout.values or layout.by_sku:
            self.doubt([says and not has for says, has in zip(filled, named, strict=True)])
            filled = named
        if self.places is None:
            return filled
        self.doubt([bool(place) and not has for place, has in zip(self.places, named, strict=True)])
        return [says and not place for says, place in zip(filled, self.places, strict=True)]
