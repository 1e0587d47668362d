from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import BinaryIO, TypeVar

from sqlalchemy import ColumnElement

from syncline.apps.commerce.contract import ExportResult, FileNotWritten, NothingToDo, Store, TooLongForFormat
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.metafields import MetafieldName
from syncline.apps.commerce.mirror.naming import list_metafield_names
from syncline.apps.commerce.mirror.repository import list_locations
from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.apps.commerce.staging.selection import mirror_condition, parse_where
from syncline.apps.commerce.transfer.export import repository
from syncline.apps.commerce.transfer.export.columns import (
    CUSTOMS,
    IMAGES,
    INVENTORY_COLUMNS,
    OUR_COLUMNS,
    SHOPIFY_COLUMNS,
    OutColumn,
    chosen,
    metafield_columns,
)
from syncline.apps.commerce.transfer.export.writing import Output
from syncline.apps.commerce.transfer.formats import FileFormat, format_called
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.runtime.db.session import Session

T = TypeVar("T")

MOST_WORKBOOK_ROWS = 1_048_576
"""Of one sheet, the titles among them: support.microsoft.com, "Excel specifications and limits"."""


MOST_METAFIELDS = 200
"""Columns for metafields of products, and as many for those of variants; apps leave thousands of names behind."""


class ExportKind(StrEnum):
    """Products with their variants, or one row for each place where a variant is stocked."""

    PRODUCTS = "products"
    INVENTORY = "inventory"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """`where` is the search syntax; `columns` are titles or our names, all when empty; without `marks` a CSV file holds
    every text as it is, see `cells`."""

    format: FileFormat
    kind: ExportKind = ExportKind.PRODUCTS
    where: str = ""
    columns: Sequence[str] = ()
    marks: bool = True


def options_of(*, format: str, kind: str, where: str, columns: Sequence[str], marks: bool) -> ExportOptions:  # noqa: A002
    """Raises `InvalidInput` for a format or a kind that there is not."""
    known = [one.value for one in ExportKind]
    if kind not in known:
        sentence = f"There is no kind of export {kind!r}.{did_you_mean(kind, known)} Use {join_or(known)}."
        raise InvalidInput(sentence, fields=[FieldError("kind", sentence)])
    return ExportOptions(format_called(format), ExportKind(kind), where, tuple(columns), marks=marks)


async def export_store(
    session: Session,
    *,
    store: Store,
    file: BinaryIO,
    options: ExportOptions,
    progress: Callable[[int, int], None] | None = None,
) -> ExportResult:
    """Write what the mirror holds to `file`. Nothing is written before it is known that it can be.

    Raises `InvalidInput` for a search or a column that is not clear, `NothingToDo` when nothing matches,
    `TooLongForFormat`, and `FileNotWritten` when the file takes no more. `progress` is told rows and all rows.
    """
    metafields = [] if options.kind is ExportKind.INVENTORY else await _metafields(session, store)
    columns = await _columns(session, store, options, metafields)
    search = parse_where(options.where)
    is_stock = options.kind is ExportKind.INVENTORY
    condition = mirror_condition(Owner.INVENTORY_LEVEL if is_stock else Owner.PRODUCT, search)
    names = {column.name for column in columns}
    with_images = bool(names & IMAGES)
    if is_stock:
        products, rows = await repository.count_levels(session, store.id, condition)
    else:
        products, rows = await repository.count_products(session, store.id, condition, with_images="image_url" in names)
    _check(store, options, rows)
    written = 0
    output = await _on_file(
        partial(Output, file, options.format, columns, currency=store.currency, name=options.kind, marks=options.marks)
    )
    total = products if options.format in _NESTED and not is_stock else rows
    portions = _portions(
        *(session, store, options, condition),
        with_levels="available" in names,
        with_images=with_images,
        metafields=[name for name in metafields if name.field in names],
        output=output,
    )
    async with aclosing(portions):
        async for portion in portions:
            written += await _on_file(portion)
            if progress is not None:
                progress(written, total)
    await _on_file(output.close)
    return ExportResult(
        store=store.name,
        kind=options.kind.value,
        format=options.format.value,
        products=products,
        rows=written,
        columns=tuple(_title(column, options) for column in columns),
        notes=tuple(_notes(output)),
    )


_NESTED = {FileFormat.JSON, FileFormat.JSONL}
_OURS = {*_NESTED, FileFormat.PARQUET}


def _title(column: OutColumn, options: ExportOptions) -> str:
    return column.name if options.format in _OURS else column.title


async def _metafields(session: Session, store: Store) -> Sequence[MetafieldName]:
    """Those that most products, and most variants, have."""
    found = list(await list_metafield_names(session, store.id))
    by_owner = [[name for name in found if name.owner == owner] for owner in (Owner.PRODUCT, Owner.VARIANT)]
    return [name for names in by_owner for name in names[:MOST_METAFIELDS]]


async def _columns(
    session: Session, store: Store, options: ExportOptions, metafields: Sequence[MetafieldName]
) -> Sequence[OutColumn]:
    """All that are asked for and known of the store. With several locations a variant has no one quantity: it stands in
    the inventory table, and in JSON by location."""
    missing: set[str] = set()
    if options.kind is ExportKind.INVENTORY:
        known = INVENTORY_COLUMNS
        missing |= CUSTOMS if not await repository.holds_items(session, store.id) else set()
    else:
        known = (*(OUR_COLUMNS if options.format in _OURS else SHOPIFY_COLUMNS), *metafield_columns(metafields))
        missing |= IMAGES if not await repository.holds_images(session, store.id) else set()
        if options.format not in _NESTED and len(await list_locations(session, store.id)) != 1:
            missing.add("available")
    return [column for column in chosen(known, options.columns) if column.name not in missing]


def _check(store: Store, options: ExportOptions, rows: int) -> None:
    if not rows:
        where = options.where.strip()
        what = "stock" if options.kind is ExportKind.INVENTORY else "products"
        found = f"Nothing in {store.name} matches {where}" if where else f"The mirror of {store.name} has no {what}"
        raise NothingToDo(f"{found}; nothing was written. Pull the store first if it is new.")
    if options.format is FileFormat.XLSX and rows + 1 > MOST_WORKBOOK_ROWS:
        raise TooLongForFormat(
            f"{rows:,} rows and the titles are more than the {MOST_WORKBOOK_ROWS:,} rows of an Excel sheet; nothing "
            "was written. Export to CSV or Parquet, or a part of the store with a search.",
            extra={"rows": rows},
        )


async def _portions(
    session: Session,
    store: Store,
    options: ExportOptions,
    condition: ColumnElement[bool],
    *,
    with_levels: bool,
    with_images: bool,
    metafields: Sequence[MetafieldName],
    output: Output,
) -> AsyncGenerator[Callable[[], int]]:
    """What is left to do for each portion of the store."""
    if options.kind is ExportKind.INVENTORY:
        stock = repository.stream_levels(session, store.id, condition, currency=store.currency)
        async with aclosing(stock):
            async for spots in stock:
                yield partial(output.write_stock, spots)
        return
    found = repository.stream_products(
        *(session, store.id, condition),
        currency=store.currency,
        with_levels=with_levels,
        with_images=with_images,
        metafields=metafields,
    )
    async with aclosing(found):
        async for products in found:
            yield partial(output.write_products, products)


def _notes(output: Output) -> Iterator[str]:
    for title, count in output.left_out.items():
        yield (
            f"{title}: {count:,} {'value does' if count == 1 else 'values do'} not fit into this kind of file and the "
            "cell was left empty, which an import takes as “leave it”. Export to CSV or JSON to have all of it."
        )


async def _on_file(work: Callable[[], T]) -> T:
    """Work with the file in a thread: it computes and waits for the disk. Its errors become a sentence."""
    try:
        return await asyncio.to_thread(work)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileNotWritten(
            f"The file could not be written: {error.strerror or error}. Free some room or choose another place."
        ) from error
