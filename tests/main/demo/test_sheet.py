from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import pytest

from syncline.apps.commerce.transfer.product_csv import read_products
from syncline.main.demo.sheet import SLIP, Catalogue, Sheet, make_sheet
from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.state import Store


@pytest.fixture(scope="module")
def store() -> Store:
    made = Store()
    generate(made, products=400, seed=3)
    return made


def rows(entities: Any) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(entity) for entity in entities]


@pytest.fixture(scope="module")
def sheet(store: Store) -> Sheet:
    catalogue = Catalogue.of(
        products=rows(store.products.values()),
        variants=rows(store.variants.values()),
        items=rows(store.items.values()),
        levels=rows(store.levels.values()),
        place=rows(store.locations.values())[0],
    )
    return make_sheet(catalogue)


def test_the_reader_of_sheets_finds_the_slip_and_nothing_else_wrong(sheet: Sheet) -> None:
    batches = list(read_products(io.BytesIO(sheet.text.encode()), currency="USD"))
    wrong = [problem for batch in batches for problem in batch.problems]
    assert [(problem.column, problem.value) for problem in wrong] == [("Variant Price", SLIP)]
    assert batches[-1].rows == sheet.rows


def test_prices_are_those_of_drafts_so_that_a_bulk_edit_of_active_products_does_not_meet_them(
    sheet: Sheet, store: Store
) -> None:
    statuses = {store.products[store.variants[number].product_id].status for number in sheet.meant.prices}
    assert statuses == {"DRAFT"}


def test_what_is_meant_differs_from_the_store_in_every_record(sheet: Sheet, store: Store) -> None:
    assert all(store.variants[number].price != price for number, price in sheet.meant.prices.items())
    assert all(store.products[number].title != title for number, title in sheet.meant.titles.items())
    assert all(store.levels[key].available != quantity for key, quantity in sheet.meant.stock.items())
    assert min(len(sheet.meant.prices), len(sheet.meant.titles), len(sheet.meant.stock)) > 0


def test_every_variant_of_a_product_in_the_sheet_has_its_line(sheet: Sheet, store: Store) -> None:
    lines = list(csv.DictReader(io.StringIO(sheet.text)))
    handles = {line["Handle"] for line in lines}
    named = [one for one in store.products.values() if one.handle in handles]
    assert len(lines) == sheet.rows == sum(len(one.variant_ids) for one in named)
