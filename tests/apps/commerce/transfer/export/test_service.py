from __future__ import annotations

import csv
import errno
import io
import json
import tempfile
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from syncline.apps.commerce.contract import ExportResult, FileNotWritten, NothingToDo, StoreNotFound, TooLongForFormat
from syncline.apps.commerce.transfer.export import service
from syncline.apps.commerce.transfer.export.service import ExportOptions, export_store, options_of
from syncline.apps.commerce.transfer.formats import FileFormat
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import WriteSession

Export = Callable[..., Awaitable[bytes]]
SHIRT, HAT = "linen-shirt", "wool-hat"


@pytest.fixture
def export(pulled: Any) -> Export:
    async def write(format: str = "csv", **options: Any) -> bytes:  # noqa: A002 - the contract's word
        file = io.BytesIO()
        write.result = await pulled.commerce.export_store(  # type: ignore[attr-defined]
            actor=options.pop("actor", pulled.actor), store="demo", file=file, format=format, **options
        )
        return file.getvalue()

    return write


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


async def test_csv_is_shopifys_template_with_one_row_for_each_variant(pulled: Any, export: Export) -> None:
    content = await export("csv")
    rows = rows_of(content)
    assert content.decode().split("\r\n")[0].startswith("Title,URL handle,Description,Vendor,Type,Tags,Published on")
    assert len(rows) == len(pulled.shop.store.variants)
    of_shirt = [row for row in rows if row["URL handle"] == SHIRT]
    first, *others = of_shirt
    assert (first["Vendor"], first["Status"], first["Charge tax"]) == ("Acme", "active", "TRUE")
    assert first["Continue selling when out of stock"] in {"DENY", "CONTINUE"}
    # What is said of the whole product stands in its first row only, prices in every row.
    assert all((row["Title"], row["Vendor"], row["Option1 name"]) == ("", "", "") for row in others)
    assert all(Decimal(row["Price"]) > 0 for row in of_shirt)
    # The store has two locations: a product sheet has no column for the stock of both.
    assert "Inventory quantity" not in rows[0]


async def test_the_result_counts_what_was_written(pulled: Any, export: Any) -> None:
    told: list[tuple[int, int]] = []
    await export("csv", progress=lambda done, total: told.append((done, total)))
    result: ExportResult = export.result
    variants = len(pulled.shop.store.variants)
    assert (result.store, result.kind, result.format) == ("demo", "products", "csv")
    assert (result.products, result.rows, result.notes) == (len(pulled.shop.store.products), variants, ())
    assert told[-1] == (variants, variants)
    assert result.columns[:2] == ("Title", "URL handle")


async def test_a_search_finds_products_and_they_come_whole(pulled: Any, export: Export) -> None:
    shirts = [row for row in rows_of(await export()) if row["URL handle"] == SHIRT]
    sku = next(row["SKU"] for row in shirts if row["SKU"])
    assert rows_of(await export(where=f"sku:{sku}")) == shirts


async def test_a_search_for_stock_finds_places(pulled: Any, export: Export) -> None:
    rows = rows_of(await export(kind="inventory", where='location:"Main warehouse" available:>0'))
    assert rows
    assert {row["Location"] for row in rows} == {"Main warehouse"}
    assert all(int(row["Available"]) > 0 for row in rows)
    assert list(rows[0]) == [
        *("Handle", "Title", "Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name"),
        *("Option3 Value", "SKU", *_customs(rows[0]), "Location", "Incoming", "Unavailable", "Committed", "Available"),
        "On hand",
    ]


def _customs(row: dict[str, str]) -> list[str]:
    return [title for title in ("HS Code", "COO") if title in row]


async def test_chosen_columns_come_with_those_that_name_the_record(export: Export) -> None:
    rows = rows_of(await export(columns=["Variant Price", "sku"]))
    assert list(rows[0]) == [
        *("URL handle", "SKU", "Option1 name", "Option1 value", "Option2 name", "Option2 value", "Option3 name"),
        *("Option3 value", "Price"),
    ]


async def test_json_nests_variants_and_stock(pulled: Any, export: Export) -> None:
    products = json.loads(await export("json"))
    lines = [json.loads(line) for line in (await export("jsonl")).decode().split("\n") if line]
    assert products == lines
    assert len(products) == len(pulled.shop.store.products)
    shirt = next(product for product in products if product["handle"] == SHIRT)
    variant = shirt["variants"][0]
    assert len(variant["options"]) == len(shirt["options"])
    assert isinstance(variant["price"], str)
    assert {"location", "available", "on_hand", "committed", "incoming"} < set(variant["levels"][0])
    assert datetime.fromisoformat(shirt["created_at"]).tzinfo is not None
    (some,) = json.loads(await export("json", where=f"handle:{HAT}", columns=["price"]))
    assert set(some) == {"id", "handle", "options", "variants"}
    assert set(some["variants"][0]) == {"id", "options", "price"}


async def test_parquet_has_types_and_repeats_what_is_said_of_the_product(pulled: Any, export: Export) -> None:
    table = pq.read_table(io.BytesIO(await export("parquet")))
    kinds = {name: table.schema.field(name).type for name in ("variant_id", "price", "tags", "created_at", "taxable")}
    assert kinds == {
        "variant_id": pa.int64(),
        "price": pa.decimal128(38, 6),
        "tags": pa.list_(pa.string()),
        "created_at": pa.timestamp("us", tz="UTC"),
        "taxable": pa.bool_(),
    }
    rows = table.to_pylist()
    assert len(rows) == len(pulled.shop.store.variants)
    assert len({(row["title"], row["vendor"]) for row in rows if row["handle"] == SHIRT}) == 1
    assert all(row["price"] >= 0 for row in rows)


async def test_a_workbook_has_numbers_texts_and_a_header_that_stays(export: Export) -> None:
    book = openpyxl.load_workbook(io.BytesIO(await export("xlsx")))
    sheet: Any = book.active
    titles = [cell.value for cell in sheet[1]]
    price, sku = titles.index("Price"), titles.index("SKU")
    assert sheet.freeze_panes == "A2"
    assert all(isinstance(row[price].value, int | float) for row in sheet.iter_rows(min_row=2))
    assert {row[price].number_format for row in sheet.iter_rows(min_row=2)} == {"0.00"}
    assert {type(row[sku].value) for row in sheet.iter_rows(min_row=2)} <= {str, type(None)}


async def test_a_text_too_long_for_excel_is_left_out_and_told(pulled: Any, export: Any, session: WriteSession) -> None:
    long = "<p>" + "x" * 40_000
    product = next(iter(pulled.shop.store.products.values()))
    pulled.shop.store.update_product(product, description_html=long)
    await pulled.pull()
    book = openpyxl.load_workbook(io.BytesIO(await export("xlsx", where=f"id:{product.id}")))
    sheet: Any = book.active
    at = [cell.value for cell in sheet[1]].index("Description")
    assert sheet[2][at].value is None
    (note,) = export.result.notes
    assert note.startswith("Description: 1 value does not fit into this kind of file")
    assert rows_of(await export("csv", where=f"id:{product.id}"))[0]["Description"] == long


async def test_plain_csv_bears_no_marks(pulled: Any, export: Export) -> None:
    product = next(iter(pulled.shop.store.products.values()))
    pulled.shop.store.update_product(product, title="=1+1")
    await pulled.pull()
    given = {"where": f"id:{product.id}"}
    assert rows_of(await export(**given))[0]["Title"] == "'=1+1"
    assert rows_of(await export(**given, marks=False))[0]["Title"] == "=1+1"


@pytest.mark.parametrize("format", ["csv", "xlsx", "json", "jsonl", "parquet"])
async def test_nothing_found_writes_nothing(export: Export, format: str) -> None:  # noqa: A002
    with pytest.raises(NothingToDo, match="Nothing in demo matches vendor:Nobody; nothing was written"):
        await export(format, where="vendor:Nobody")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"format": "xls"}, r"no format 'xls'. Did you mean xlsx\? Use csv, xlsx, json, jsonl or parquet"),
        ({"kind": "orders"}, "no kind of export 'orders'. Use products or inventory"),
        ({"columns": ["Prise"]}, r"no column 'Prise' here. Did you mean Price\?"),
        ({"where": "vendr:x"}, "vendr"),
    ],
)
async def test_what_is_not_clear_is_refused(export: Export, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        await export(**options)


async def test_other_tenant_sees_no_store(export: Export, stranger: Actor) -> None:
    with pytest.raises(StoreNotFound):
        await export(actor=stranger)


async def test_more_rows_than_a_sheet_has_are_refused_before_anything_is_written(
    pulled: Any, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = len(pulled.shop.store.variants)
    monkeypatch.setattr(service, "MOST_WORKBOOK_ROWS", rows + 1)
    assert await export("xlsx")
    monkeypatch.setattr(service, "MOST_WORKBOOK_ROWS", rows)
    file = io.BytesIO()
    with pytest.raises(TooLongForFormat, match=f"{rows} rows and the titles are more than the {rows} rows"):
        await pulled.commerce.export_store(actor=pulled.actor, store="demo", file=file, format="xlsx")
    assert file.getvalue() == b""


class FullDisk(io.BytesIO):
    """Takes a few bytes, then no more."""

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("format", ["csv", "xlsx", "json", "jsonl", "parquet"])
async def test_a_full_disk_is_a_sentence_and_nothing_is_left_on_it(
    pulled: Any,
    format: str,  # noqa: A002
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with pytest.raises(FileNotWritten, match=r"could not be written: .*No space left on device"):
        await pulled.commerce.export_store(actor=pulled.actor, store="demo", file=FullDisk(), format=format)
    assert list(temporary.iterdir()) == []


PRODUCTS, SIZES = 20_000, 5
_PRODUCTS = """
INSERT INTO commerce.product (store_id, id, tenant_id, handle, title, description_html, vendor, product_type, status,
    tags, is_gift_card, options, variants_count, line_hash, content_hash, synced_at)
SELECT :store, n, :tenant, 'p-' || n, 'P', repeat('<p>a body of some length</p>', 40), 'Acme', '', 'active', '{a,b}',
    false, '[{"name":"Size","values":["1"]}]', :sizes, 0, 0, now() FROM generate_series(0, :last) AS n
"""
_VARIANTS = """
INSERT INTO commerce.variant (store_id, id, tenant_id, product_id, title, sku, price, position, taxable,
    inventory_policy, selected_options, inventory_item_id, tracked, requires_shipping, line_hash, content_hash,
    synced_at)
SELECT :store, n, :tenant, n / :sizes, 'V', 'S-' || n, 0.5, n % :sizes, true, 'deny',
    json_build_array(json_build_object('name', 'Size', 'value', (n % :sizes)::text)), n, true, true, 0, 0, now()
FROM generate_series(0, :last) AS n
"""


class Counted(io.RawIOBase):
    """Counts what is written and keeps nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.bytes += len(data)
        return len(data)

    def tell(self) -> int:
        return self.bytes


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
async def test_memory_does_not_grow_with_the_store(
    session: WriteSession,
    add_store: Any,
    format: str,  # noqa: A002
) -> None:
    store = await add_store("large")
    given = {"store": store.id, "tenant": session.tenant_id, "sizes": SIZES}
    await session.execute(text(_PRODUCTS), {**given, "last": PRODUCTS - 1})
    await session.execute(text(_VARIANTS), {**given, "last": PRODUCTS * SIZES - 1})
    await session.execute(text("ANALYZE commerce.product, commerce.variant"))
    process, file = psutil.Process(), Counted()
    seen: list[int] = []
    options = ExportOptions(FileFormat(format))
    told = seen.append
    result = await export_store(
        session,
        store=store,
        file=file,  # type: ignore[arg-type] # all that is asked of it is there
        options=options,
        progress=lambda _done, _total: told(process.memory_info().rss),
    )
    assert result.rows == (PRODUCTS if format == "jsonl" else PRODUCTS * SIZES)
    assert file.bytes > 1_000_000
    # Whatever a format keeps in hand it has by the middle; the other half as objects would be another 100 MB.
    middle = len(seen) // 2
    assert max(seen[middle:]) - max(seen[:middle]) < 25_000_000


def test_options_know_their_words() -> None:
    options = options_of(format=".NDJSON", kind="inventory", where="", columns=(), marks=True)
    assert (options.format, options.kind) == (FileFormat.JSONL, "inventory")
