"""Loads Shopify product CSV files (help.shopify.com/en/manual/products/import-export/using-csv) into a store.

How rows become products and variants:

* Rows with one `Handle` in one file are one product, adjacent or not; the first of them carries the product's columns.
* A row is a variant when `Variant Price` or `Option1 Value` is filled. Every other row only adds an image.
* `Image Src` is an image of the product, in the order of the rows, each address once; `Image Alt Text` is its text.
* A handle that an earlier file or the store already has gets `-1`, `-2` ... appended, as Shopify numbers handles.

What Shopify changes on the way in, and nothing else is changed:

* Prices are shown with two decimals (`50` -> `50.00`): the API's Money has the currency's minor digits. Blank is
  `0.00`.
* `Variant Grams` becomes a weight in `Variant Weight Unit`, to four decimals (454 g in lb -> 1.0009), so that no gram
is   lost; a blank cell is 0.
* Tags are split at commas, trimmed, and listed in alphabetical order without regard to case, doubles left out.
* `Published` true or blank publishes the product at the time of the load; false leaves `publishedAt` empty.
  `Status` (active, draft, archived), where the column exists, becomes the status; otherwise it is ACTIVE.

Text is kept to the character: HTML bodies with their carriage returns, blanks at either end, the apostrophe that
Shopify's own export puts before a numeric barcode. An empty SKU or barcode cell is "", a missing column is null.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from syncline.sandbox.shopify.entities_content import Media
from syncline.sandbox.shopify.state import NewVariant, Store

Row = Mapping[str, str | None]

# Spellings used by exports since 2024 -> the ones used before; both are imported by Shopify today.
RENAMED = {
    "URL handle": "Handle",
    "Description": "Body (HTML)",
    "Published on online store": "Published",
    "SKU": "Variant SKU",
    "Barcode": "Variant Barcode",
    "Option1 name": "Option1 Name",
    "Option1 value": "Option1 Value",
    "Option2 name": "Option2 Name",
    "Option2 value": "Option2 Value",
    "Option3 name": "Option3 Name",
    "Option3 value": "Option3 Value",
    "Price": "Variant Price",
    "Compare-at price": "Variant Compare At Price",
    "Charge tax": "Variant Taxable",
    "Inventory tracker": "Variant Inventory Tracker",
    "Inventory quantity": "Variant Inventory Qty",
    "Continue selling when out of stock": "Variant Inventory Policy",
    "Weight value (grams)": "Variant Grams",
    "Weight unit for display": "Variant Weight Unit",
    "Requires shipping": "Variant Requires Shipping",
    "Product image URL": "Image Src",
    "Image alt text": "Image Alt Text",
    "Gift card": "Gift Card",
    "SEO title": "SEO Title",
    "SEO description": "SEO Description",
}
REQUIRED = ("Handle", "Title")
UNITS = {
    "g": ("GRAMS", Decimal(1)),
    "kg": ("KILOGRAMS", Decimal(1000)),
    "lb": ("POUNDS", Decimal("453.59237")),
    "oz": ("OUNCES", Decimal("28.349523125")),
}
CHOICES: Mapping[str, Iterable[str]] = {
    "Variant Weight Unit": UNITS,
    "Variant Inventory Policy": ("deny", "continue"),
    "Status": ("active", "draft", "archived"),
}
CENT = Decimal("0.01")
WEIGHT_STEP = Decimal("0.0001")
DEFAULT_LOCATION = "Shop location"
LONGEST_CELL = 4 * 1024 * 1024


class CsvNotReadableError(ValueError):
    """A file that is no Shopify product CSV; the sentence names the file and the row."""


@dataclass(frozen=True, slots=True)
class Loaded:
    products: int
    variants: int


def load_csv(store: Store, paths: Iterable[Path]) -> Loaded:
    """Adds the products of all files; stock goes to the store's first location, made here when it has none.

    Raises `CsvNotReadableError` before the store is touched by the file concerned.
    """
    location = next(iter(store.locations), None) or store.add_location(DEFAULT_LOCATION).id
    products = variants = 0
    for path in paths:
        for rows in _products_in(path):
            variants += _add(store, rows, location)
            products += 1
    return Loaded(products, variants)


def _products_in(path: Path) -> Iterator[list[Row]]:
    # The limit is one number for the whole process.
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(path, file))
    finally:
        csv.field_size_limit(before)
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row["Handle"] or "", []).append(row)
    yield from grouped.values()


def _rows(path: Path, file: TextIO) -> Iterator[Row]:
    reader = csv.DictReader(file)
    try:
        reader.fieldnames = [RENAMED.get(name, name) for name in reader.fieldnames or ()]
        missing = [name for name in REQUIRED if name not in reader.fieldnames]
        if missing:
            raise CsvNotReadableError(f"{path.name} has no column {' and no column '.join(missing)}.")
        for number, row in enumerate(reader, start=2):
            if not row["Handle"]:
                raise CsvNotReadableError(f"{path.name} row {number}: the handle is empty.")
            if None in row:
                raise CsvNotReadableError(f"{path.name} row {number}: more cells than the header has columns.")
            _check_values(row, f"{path.name} row {number}")
            yield row
    except UnicodeDecodeError as error:
        raise CsvNotReadableError(f"{path.name} is not UTF-8 text.") from error
    except csv.Error as error:
        raise CsvNotReadableError(f"{path.name} row {reader.line_num}: {error}.") from error


def _check_values(row: Row, place: str) -> None:
    for column, allowed in CHOICES.items():
        text = row.get(column)
        if text and text.lower() not in allowed:
            raise CsvNotReadableError(f"{place}: {column} {text!r} is none of {', '.join(allowed)}.")
    for column in (
        "Variant Price",
        "Variant Compare At Price",
        "Variant Grams",
        "Variant Inventory Qty",
        "Cost per item",
    ):
        text = row.get(column)
        if not text:
            continue
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise CsvNotReadableError(f"{place}: {column} {text!r} is not a number.") from error
        if not number.is_finite():
            raise CsvNotReadableError(f"{place}: {column} {text!r} is not a number.")


def _add(store: Store, rows: Sequence[Row], location: int) -> int:
    """Adds one product; returns how many variants it has."""
    first = rows[0]
    variant_rows = [row for row in rows if row.get("Variant Price") or row.get("Option1 Value")]
    names = [name for name in (first.get(f"Option{number} Name") for number in (1, 2, 3)) if name] or ["Title"]
    variants = [_variant(row, len(names), location) for row in variant_rows] or [NewVariant(["Default Title"])]
    moment = store.now()
    product = store.add_product(
        title=first["Title"] or "",
        handle=store.free_handle(first["Handle"] or ""),
        options=[(name, _values(variants, at)) for at, name in enumerate(names)],
        variants=variants,
        created_at=moment,
        log=False,
        description_html=first.get("Body (HTML)") or "",
        vendor=first.get("Vendor") or store.shop.name,
        product_type=first.get("Type") or "",
        tags=_tags(first.get("Tags") or ""),
        status=(first.get("Status") or "active").upper(),
        published_at=_published_at(first.get("Published"), moment),
        seo_title=first.get("SEO Title") or None,
        seo_description=first.get("SEO Description") or None,
        is_gift_card=_is_true(first.get("Gift Card"), default=False),
    )
    _add_images(store, product.id, rows, moment)
    return len(variants)


def _add_images(store: Store, product_id: int, rows: Sequence[Row], moment: datetime) -> None:
    texts: dict[str, str | None] = {}
    for row in rows:
        if url := row.get("Image Src"):
            texts.setdefault(url, row.get("Image Alt Text") or None)
    for url, text in texts.items():
        made = Media(store.journal.next_id("media"), "IMAGE", moment, moment, url, alt=text, preview_url=url)
        store.media.insert(made, [product_id])


def _variant(row: Row, option_count: int, location: int) -> NewVariant:
    unit, grams = UNITS[(row.get("Variant Weight Unit") or "g").lower()]
    tracked = row.get("Variant Inventory Tracker") == "shopify"
    return NewVariant(
        option_values=[row.get(f"Option{number} Value") or "" for number in range(1, option_count + 1)],
        price=_money(row.get("Variant Price")) or "0.00",
        compare_at_price=_money(row.get("Variant Compare At Price")),
        sku=row.get("Variant SKU"),
        barcode=row.get("Variant Barcode"),
        taxable=_is_true(row.get("Variant Taxable"), default=True),
        inventory_policy=_policy(row.get("Variant Inventory Policy")),
        tracked=tracked,
        requires_shipping=_is_true(row.get("Variant Requires Shipping"), default=True),
        unit_cost=_money(row.get("Cost per item")),
        weight=(Decimal(row.get("Variant Grams") or 0) / grams).quantize(WEIGHT_STEP),
        weight_unit=unit,
        quantities={location: int(Decimal(row.get("Variant Inventory Qty") or 0))},
    )


def _values(variants: Sequence[NewVariant], at: int) -> list[str]:
    """The option's values in the order they first appear."""
    return list(dict.fromkeys(variant.option_values[at] for variant in variants))


def _tags(cell: str) -> list[str]:
    seen: dict[str, str] = {}
    for tag in cell.split(","):
        if trimmed := tag.strip():
            seen.setdefault(trimmed.casefold(), trimmed)
    return [seen[key] for key in sorted(seen)]


def _money(text: str | None) -> str | None:
    return str(Decimal(text).quantize(CENT)) if text else None


def _policy(cell: str | None) -> str:
    return "CONTINUE" if (cell or "").lower() == "continue" else "DENY"


def _published_at(cell: str | None, moment: datetime) -> datetime | None:
    return moment if _is_true(cell, default=True) else None


def _is_true(cell: str | None, *, default: bool) -> bool:
    return default if not cell else cell.strip().lower() == "true"
