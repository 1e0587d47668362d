from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from syncline.apps.commerce.fields import Owner, fields_of
from syncline.apps.commerce.transfer.export.columns import (
    INVENTORY_COLUMNS,
    OUR_COLUMNS,
    SHOPIFY_COLUMNS,
    OutColumn,
    Spot,
    chosen,
)
from syncline.apps.commerce.transfer.export.records import ImageRecord, LevelRecord, ProductRecord, VariantRecord
from syncline.apps.commerce.transfer.export.rows import product_object, stock_row, table_rows
from syncline.apps.commerce.transfer.sheet_columns import KNOWN, Role, plain
from syncline.kernel.errors import InvalidInput


def variant(number: int, *options: str, **fields: Any) -> VariantRecord:
    known: dict[str, Any] = dict.fromkeys((field.name for field in fields_of(Owner.VARIANT)), None)
    known |= {"price": "10.00", "inventory_policy": "deny", "tracked": True, "weight": "0.6", "weight_unit": "pounds"}
    return VariantRecord(number, 100 + number, number, options, {**known, **fields})


def product(*variants: VariantRecord, images: int = 0) -> ProductRecord:
    fields: dict[str, Any] = dict.fromkeys((field.name for field in fields_of(Owner.PRODUCT)), None)
    fields |= {"handle": "tee", "title": "Tee", "tags": ["a", "b"]}
    pictures = [ImageRecord(number, f"https://cdn/{number}.png", None) for number in range(images)]
    return ProductRecord(1, ("Size",), fields, False, None, None, None, list(variants), pictures)


def shown(rows: Sequence[Sequence[Any]], columns: Sequence[OutColumn], *titles: str) -> list[tuple[Any, ...]]:
    places = [[column.title for column in columns].index(title) for title in titles]
    return [tuple(row[place] for place in places) for row in rows]


def test_further_images_are_further_rows() -> None:
    rows = list(table_rows(product(variant(1, "S"), variant(2, "M"), images=3), SHOPIFY_COLUMNS, repeats=False))
    titles = ("Title", "URL handle", "Option1 value", "Price", "Product image URL")
    assert shown(rows, SHOPIFY_COLUMNS, *titles) == [
        ("Tee", "tee", "S", "10.00", "https://cdn/0.png"),
        (None, "tee", "M", "10.00", "https://cdn/1.png"),
        (None, "tee", None, None, "https://cdn/2.png"),
    ]


def test_a_table_that_repeats_has_no_rows_for_images() -> None:
    rows = list(table_rows(product(variant(1, "S"), variant(2, "M"), images=3), OUR_COLUMNS, repeats=True))
    pictures = [f"https://cdn/{number}.png" for number in range(3)]
    assert shown(rows, OUR_COLUMNS, "title", "option1_value", "images") == [
        ("Tee", "S", pictures),
        ("Tee", "M", pictures),
    ]


def test_a_product_without_variants_is_one_row() -> None:
    rows = list(table_rows(product(), SHOPIFY_COLUMNS, repeats=False))
    assert shown(rows, SHOPIFY_COLUMNS, "Title", "Price", "Charge tax", "Weight value (grams)") == [
        ("Tee", None, None, None)
    ]


def test_a_weight_is_grams_with_six_digits_and_its_unit() -> None:
    rows = list(table_rows(product(variant(1, "S")), SHOPIFY_COLUMNS, repeats=False))
    assert shown(rows, SHOPIFY_COLUMNS, "Weight value (grams)", "Weight unit for display") == [("272.155422", "lb")]


def test_stock_says_what_is_unavailable_and_where() -> None:
    level = LevelRecord(7, "Main", available=3, on_hand=10, committed=5, incoming=None)
    row = stock_row(Spot(product(), variant(1, "S"), is_first=True, level=level), INVENTORY_COLUMNS)
    titles = ("Handle", "Option1 Value", "Location", "Unavailable", "Committed", "Available", "On hand", "Incoming")
    assert shown([row], INVENTORY_COLUMNS, *titles) == [("tee", "S", "Main", 2, 5, 3, 10, None)]


def test_an_object_has_the_names_that_were_chosen() -> None:
    made = product_object(product(variant(1, "S")), frozenset({"title", "price"}))
    assert made == {
        "id": 1,
        "handle": "tee",
        "title": "Tee",
        "options": ["Size"],
        "variants": [{"id": 1, "options": ["S"], "price": "10.00"}],
    }


@pytest.mark.parametrize("columns", [SHOPIFY_COLUMNS, OUR_COLUMNS, INVENTORY_COLUMNS])
def test_an_import_knows_every_column_that_an_export_writes(columns: Sequence[OutColumn]) -> None:
    unknown = [column.title for column in columns if plain(column.title) not in KNOWN]
    unknown += [column.name for column in columns if columns is INVENTORY_COLUMNS and plain(column.name) not in KNOWN]
    assert unknown == []


@pytest.mark.parametrize("word", ["price", "PRICE", "Variant Price", " Price "])
def test_a_column_is_found_by_any_of_its_titles(word: str) -> None:
    (found,) = [column.name for column in chosen(SHOPIFY_COLUMNS, [word]) if not column.is_key]
    assert found == "price"


def test_a_column_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(InvalidInput, match=r"no column 'Location' here. Use Title, URL handle"):
        chosen(SHOPIFY_COLUMNS, ["Location"])
    assert KNOWN["location"] == (Role.LOCATION, "")
