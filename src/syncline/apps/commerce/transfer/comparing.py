"""What a chunk of a sheet says, written so that the database can tell which of its products the mirror has just so.

For each product one record: the cells of the product, and one line for each variant and each stock level it names,
`key joint cell joint cell`. The key says which variant is meant: its option values where the sheet has columns for
them, else its SKU, else nothing, and then the product must have no other. The database makes the same line of each
variant it has, and looks for it here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.transfer.chunk_table import ChunkTable, Layout, Stock
from syncline.apps.commerce.transfer.chunks import Chunk
from syncline.apps.commerce.transfer.plain_cells import GRAMS, JOINT, STOCK

RECORD, PART, LINE = "\x1d", "\x1c", "\x1e"
PARTS = 10
_MOST_LINES = 2_048


@dataclass(frozen=True, slots=True)
class Shape:
    """Which fields a question compares, in this order, and how a variant is named: by as many option values as `values`
    says, else by its SKU, else as its product's only one. `mixed` are the fields of a variant that some products leave
    out. `place` is the location of `available` among `variant`; `has_levels`, whether rows name locations."""

    product: tuple[str, ...]
    variant: tuple[str, ...]
    mixed: frozenset[str]
    names: int
    values: int
    by_sku: bool
    place: int | None
    has_levels: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What a product's rows come to when all is as the mirror has it: how many records they are about, and whether they
    say anything at all."""

    unchanged: int
    is_said: bool


@dataclass(frozen=True, slots=True)
class Question:
    """`records` has PARTS parts in each: the product's number in the chunk, its handle, bits for the `mixed` fields it
    has, by their place in `variant`, 1 when an option value may bear a mark, the option names, the cells of `product`,
    how many variants, their lines, how many stock levels, their lines. `settled` holds every product asked about."""

    shape: Shape
    records: str
    settled: Mapping[int, Settled]
    images: Mapping[int, tuple[str, Sequence[str]]] = field(default_factory=dict)
    """The handle and the addresses of those that name images, which the record does not hold."""


def question_of(layout: Layout, chunk: Chunk, stock: Stock) -> Question | None:
    """None when there is nothing to ask: whatever is unusual is left to the reading of rows."""
    if not layout.is_comparable or not any(chunk.handles):
        return None
    table = ChunkTable(layout, chunk, stock)
    if not table.is_clean(RECORD, PART, LINE):
        return None
    writer = _Writer(table, layout)
    doubtful, records, settled, images = table.doubtful, [], {}, {}
    for number, (begin, end) in enumerate(chunk.spans()):
        handle = chunk.handles[number]
        if handle is None or (doubtful and not doubtful.isdisjoint(range(begin, end))):
            continue
        parts = writer.parts(begin, end)
        if parts is not None:
            records.append(PART.join((str(number), handle, *parts)))
            settled[number] = writer.settled(begin, end)
            urls = table.images(begin, end)
            if urls:
                images[number] = (handle, urls)
    return Question(writer.shape(stock), RECORD.join(records), settled, images) if records else None


class _Writer:
    def __init__(self, table: ChunkTable, layout: Layout) -> None:
        self._table = table
        self._layout = layout
        self._names = table.names
        self._no_names = JOINT * (len(layout.names) - 1)
        self._has_names = [names != self._no_names for names in table.names or ()]
        self._lines = _lines_of(table.keys, [column.cells for column in table.variant])
        self._levels = (
            _lines_of(table.keys, [table.places, table.quantities or [""] * table.height])
            if table.places is not None
            else None
        )
        self._folded = list(map(str.casefold, table.keys))
        self._mixed = [(1 << at, column) for at, column in enumerate(table.variant) if not all(column.raw)]
        self._has_product = _any_of([column.raw for column in table.product])
        fields = [column for column in table.product if find_name(column.name) is None]
        self._has_fields = _any_of([column.raw for column in fields])
        self._product_metafields = [column.raw for column in table.product if find_name(column.name) is not None]
        self._variant_metafields = [column.raw for column in table.variant if find_name(column.name) is not None]
        counted = [
            column for column in table.variant if column.name not in {GRAMS, STOCK} and find_name(column.name) is None
        ]
        self._has_variant = _any_of([column.raw for column in counted])
        self._stock = next((column.raw for column in table.variant if column.name == STOCK), None)

    def shape(self, stock: Stock) -> Shape:
        table, layout = self._table, self._layout
        return Shape(
            product=tuple(column.name for column in table.product),
            variant=tuple(column.name for column in table.variant),
            mixed=frozenset(column.name for _, column in self._mixed),
            names=len(layout.names),
            values=len(layout.values),
            by_sku=layout.by_sku,
            place=stock.place,
            has_levels=table.places is not None,
        )

    def parts(self, begin: int, end: int) -> Sequence[str] | None:
        """All of a record but the number and the handle; None when its rows have to be read."""
        table = self._table
        if end - begin > 1 and self._repeats(begin, end):
            return None
        names = self._option_names(begin, end) if self._names is not None else ""
        cells = self._product_cells(begin, end) if self._has_product is not None else ""
        lines = self._lines[begin:end]
        if table.is_line is not None:
            lines = list(compress(lines, table.is_line[begin:end]))
        levels = [] if self._levels is None else self._level_lines(begin, end)
        if names is None or cells is None or len(lines) > _MOST_LINES:
            return None
        bits = 0
        for bit, column in self._mixed:
            if any(column.raw[begin:end]):
                bits |= bit
        marked = table.marked is not None and any(table.marked[begin:end])
        return (
            *(str(bits), "1" if marked else "", names, cells),
            *(str(len(lines)), _framed(lines), str(len(levels)), _framed(levels)),
        )

    def settled(self, begin: int, end: int) -> Settled:
        table = self._table
        product = self._has_product is not None and self._has_product[begin]
        unchanged = int(self._has_fields is not None and self._has_fields[begin])
        unchanged += sum(bool(raw[begin]) for raw in self._product_metafields)
        unchanged += sum(sum(map(bool, raw[begin:end])) for raw in self._variant_metafields)
        if self._has_variant is not None:
            unchanged += sum(self._has_variant[begin:end])
        if self._stock is not None:
            unchanged += sum(map(bool, self._stock[begin:end]))
        lines = end - begin if table.is_line is None else sum(table.is_line[begin:end])
        if table.places is not None:
            lines += sum(map(bool, table.places[begin:end]))
            if table.quantities is not None:
                told = zip(table.places[begin:end], table.quantities[begin:end], strict=True)
                unchanged += sum(bool(place and quantity) for place, quantity in told)
        return Settled(unchanged, product or lines > 0)

    def _level_lines(self, begin: int, end: int) -> list[str]:
        return list(compress((self._levels or [])[begin:end], (self._table.places or [])[begin:end]))

    def _option_names(self, begin: int, end: int) -> str | None:
        """Those of the rows that have any; None when rows differ."""
        names = self._names or ()
        if any(self._has_names[begin + 1 : end]):
            found = {*names[begin:end]} - {self._no_names}
            return found.pop() if len(found) == 1 else None
        return names[begin] if self._has_names[begin] else ""

    def _product_cells(self, begin: int, end: int) -> str | None:
        """Those of the first row, which the others may repeat; None when another row says more or something else."""
        columns, has_product = self._table.product, self._has_product or ()
        if any(has_product[begin + 1 : end]):
            for column in columns:
                if not {*column.raw[begin + 1 : end]} <= {"", column.raw[begin]}:
                    return None
        return JOINT.join([column.cells[begin] for column in columns])

    def _repeats(self, begin: int, end: int) -> bool:
        """Whether two rows may be about one variant, or one stock level."""
        table = self._table
        keys: list[object] = list(self._folded[begin:end])
        if table.places is not None:
            keys = list(zip(keys, map(str.casefold, table.places[begin:end]), strict=True))
        if table.is_line is not None:
            is_about = table.is_line[begin:end]
            if table.places is not None:
                is_about = [line or bool(place) for line, place in zip(is_about, table.places[begin:end], strict=True)]
            keys = list(compress(keys, is_about))
        return len(set(keys)) < len(keys)


def _lines_of(keys: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    """A line has at least one joint, behind its key."""
    return list(map(JOINT.join, zip(keys, *(columns or [[""] * len(keys)]), strict=True)))


def _any_of(columns: Sequence[Sequence[str]]) -> list[bool] | None:
    """For each row whether any of the columns holds something; None without columns."""
    return list(map(any, zip(*columns, strict=True))) if columns else None


def _framed(lines: Sequence[str]) -> str:
    return f"{LINE}{LINE.join(lines)}{LINE}" if lines else ""
