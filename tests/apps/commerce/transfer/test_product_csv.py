from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.commerce.transfer.reading import HEADER, Reading, only_error, read, sheet

from syncline.apps.commerce.transfer.product_csv import read_products
from syncline.apps.commerce.transfer.product_rows import ProductSheet, VariantSheet
from syncline.apps.commerce.transfer.row_index import RowIndex, key_of

RENAMED = (
    "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,"
    "Option1 name,Option1 value,Option1 Linked To,Option2 name,Option2 value,Option2 Linked To,Option3 name,"
    "Option3 value,Option3 Linked To,Price,Compare-at price,Cost per item,Charge tax,Tax code,Unit price total measure,"
    "Unit price total measure unit,Unit price base measure,Unit price base measure unit,Inventory tracker,"
    "Inventory quantity,Continue selling when out of stock,Weight value (grams),Weight unit for display,"
    "Requires shipping,Fulfillment service,Product image URL,Image position,Image alt text,Variant image URL,Gift card,"
    "SEO title,SEO description,Color (product.metafields.shopify.color-pattern),"
    "Google Shopping / Google product category,"
    "Google Shopping / Ad group name,Included / United States,Price / International,Compare-at price / International"
)
SHARED = Path(__file__).parents[5] / "shared" / "data" / "shopify-product-csv"


CATEGORY = (
    "Product category, Option1 Linked To, Option2 Linked To, Option3 Linked To, "
    "Color (product.metafields.shopify.color-pattern)"
)


def test_rows_of_one_handle_are_one_product() -> None:
    reading = read(sheet("tee,Tee,Size,S,T-S,10,1", "tee,,,M,T-M,11.5,2", "mug,Mug,Title,Default Title,,8,"))
    assert reading.problems == []
    assert reading.products == [
        ProductSheet(
            "tee",
            2,
            {"title": "Tee"},
            ("Size",),
            [
                VariantSheet(2, ("S",), {"sku": "T-S", "price": "10.00", "available": 1}),
                VariantSheet(3, ("M",), {"sku": "T-M", "price": "11.50", "available": 2}),
            ],
        ),
        ProductSheet("mug", 4, {"title": "Mug"}, ("Title",), [VariantSheet(4, ("Default Title",), {"price": "8.00"})]),
    ]


def test_blank_cells_and_image_rows_change_nothing() -> None:
    header = f"{HEADER},Image Src"
    reading = read(
        sheet("tee,Tee,Size,S,,,,https://x/1.jpg", "tee,,,,,,,https://x/2.jpg", ",,,,,,,", "", header=header)
    )
    (product,) = reading.products
    assert product.images == [("https://x/1.jpg", None), ("https://x/2.jpg", None)]
    product.images.clear()
    assert product == ProductSheet("tee", 2, {"title": "Tee"}, ("Size",), [VariantSheet(2, ("S",), {})])
    assert reading.errors == []


def test_the_template_renamed_in_2025_is_understood() -> None:
    values = {
        "Title": "Tee",
        "URL handle": "tee",
        "Description": "<p>Soft</p>",
        "Tags": "a, b",
        "Status": "Active",
        "SKU": "T-S",
        "Option1 name": "Size",
        "Option1 value": "S",
        "Price": "10",
        "Compare-at price": "12",
        "Cost per item": "4",
        "Charge tax": "TRUE",
        "Inventory tracker": "shopify",
        "Inventory quantity": "7",
        "Continue selling when out of stock": "DENY",
        "Weight value (grams)": "120",
        "Weight unit for display": "g",
        "Requires shipping": "FALSE",
        "SEO title": "Best tee",
    }
    titles = next(csv.reader([RENAMED]))
    buffer = io.StringIO()
    csv.writer(buffer).writerows([titles, [values.get(title, "") for title in titles]])
    reading = read(buffer.getvalue())
    (product,) = reading.products
    assert product.fields == {
        "title": "Tee",
        "description_html": "<p>Soft</p>",
        "tags": ["a", "b"],
        "status": "active",
        "seo_title": "Best tee",
    }
    assert product.variants == [
        VariantSheet(
            2,
            ("S",),
            {
                "sku": "T-S",
                "price": "10.00",
                "compare_at_price": "12.00",
                "cost": "4.00",
                "taxable": True,
                "tracked": True,
                "available": 7,
                "inventory_policy": "deny",
                "weight_unit": "grams",
                "requires_shipping": False,
            },
            grams="120",
        )
    ]
    assert reading.errors == []
    left = {note.value: note.reason for note in reading.notes}
    pictures = left["Image position, Variant image URL"]
    assert pictures == (
        "These 2 columns are left out. Which image a variant has, and at what place each stands, cannot be imported "
        "yet; what the store has there stays as it is."
    )
    assert "market" in left["Included / United States, Price / International, Compare-at price / International"]
    assert "categories" in left[CATEGORY]
    assert "Google" in left["Google Shopping / Google product category, Google Shopping / Ad group name"]
    assert len(left) == 6


def test_an_unknown_column_names_the_nearest_and_the_rest_is_read() -> None:
    reading = read(sheet("tee,10,x", header="Handle,Variant Pricce,Colour of box"))
    assert [(error.row, error.column) for error in reading.errors] == [(1, "Variant Pricce"), (1, "Colour of box")]
    assert "Did you mean Variant Price?" in reading.errors[0].reason
    assert "Did you mean" not in reading.errors[1].reason
    assert [product.handle for product in reading.products] == []


def test_unknown_columns_are_a_note_when_they_are_to_be_ignored() -> None:
    reading = read(sheet("tee,10,x", header="Handle,Variant Price,Colour of box"), ignore_unknown=True)
    assert reading.errors == []
    assert reading.notes[0].column == "Colour of box"
    assert reading.products[0].variants[0].fields == {"price": "10.00"}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Title,Variant Price", 'There is no column "Handle" or "URL handle"'),
        ("Handle,Variant Price,Price", "Columns 2 and 3 say the same thing"),
        ("Handle,URL handle", "Columns 1 and 2 say the same thing"),
    ],
)
def test_a_header_that_cannot_be_used_stops(header: str, reason: str) -> None:
    reading = read(sheet("tee,10,10", header=header))
    error = only_error(reading)
    assert (error.row, error.stops) == (1, True)
    assert reason in error.reason
    assert reading.products == []


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("Variant Price", "12,5o", "'12,5o' is not an amount; write 12.50."),
        ("Variant Price", "-1", "below zero"),
        ("Variant Price", "1.999", "finer than USD allows"),
        ("Variant Compare At Price", "abc", "write digits with a point"),
        ("Cost per item", "$3", "write 3."),
        ("Status", "actve", "Did you mean active?"),
        ("Variant Inventory Policy", "allow", "write deny or continue"),
        ("Variant Taxable", "maybe", "write true or false"),
        ("Variant Requires Shipping", "si", "write true or false"),
        ("Variant Inventory Qty", "a few", "not a whole number"),
        ("Variant Grams", "heavy", "not an amount"),
        ("Variant Weight Unit", "stone", "write grams, kilograms, ounces or pounds"),
        ("Variant Barcode", "8.59E+11", "has shortened this number and lost digits"),
        ("Variant SKU", "1,2E+5", "has shortened this number"),
        ("Variant SKU", "=A1", "holds a formula"),
        ("Title", '=CONCAT("a";"b")', "holds a formula"),
        ("Variant Price", "#REF!", "holds a spreadsheet's error"),
        ("Vendor", "#N/A", "holds a spreadsheet's error"),
        ("Tags", "x" * 300, "longer than 255 characters"),
        ("Title", "x" * 300, "300 characters; Shopify keeps at most 255"),
    ],
)
def test_a_bad_cell_is_named_and_its_row_is_not_read(column: str, value: str, reason: str) -> None:
    buffer = io.StringIO()
    rows = [["bad", value, "S"], ["bad", "", "M"], ["good", "", "L"]]
    csv.writer(buffer).writerows([["Handle", column, "Option1 Value"], *rows])
    reading = read(buffer.getvalue())
    error = only_error(reading)
    assert (error.row, error.column, error.stops) == (2, column, False)
    assert reason in error.reason
    assert error.value == (value if len(value) <= 40 else f"{value[:39]}…")
    assert [[variant.options for variant in product.variants] for product in reading.products] == [[("M",)], [("L",)]]


@pytest.mark.parametrize(
    ("column", "value", "field", "wanted"),
    [
        ("Title", "= equal = ", "title", "= equal = "),
        ("Title", "+1 shirt", "title", "+1 shirt"),
        ("Title", "#1 shirt", "title", "#1 shirt"),
        ("Vendor", "1E+5", "vendor", "1E+5"),
        ("Body (HTML)", " <p>line\nline</p> ", "description_html", " <p>line\nline</p> "),
        ("Status", "ARCHIVED", "status", "archived"),
        ("Type", "قميص 👕", "product_type", "قميص 👕"),
    ],
)
def test_product_text_is_kept_to_the_character(column: str, value: str, field: str, wanted: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["Handle", column], ["tee", value]])
    reading = read(buffer.getvalue())
    assert reading.errors == []
    assert reading.products[0].fields == {field: wanted}


def test_a_duplicate_variant_names_the_first_row() -> None:
    reading = read(sheet("tee,Tee,Size,S,A,10,", "tee,,,M,B,10,", "tee,,,s,C,10,"))
    error = only_error(reading)
    assert (error.row, error.column, error.value) == (4, "Option1 Value", "tee: s")
    assert "stand in row 2 already" in error.reason
    assert [variant.row for variant in reading.products[0].variants] == [2, 3]


def test_without_options_the_sku_tells_variants_apart() -> None:
    reading = read(sheet("tee,A,1", "tee,B,2", "tee,A,3", header="Handle,SKU,Price"))
    assert only_error(reading).row == 4
    assert [variant.fields["sku"] for variant in reading.products[0].variants] == ["A", "B"]


def test_a_handle_that_returns_is_one_product_in_parts() -> None:
    reading = read(sheet("tee,Tee,Size,S,A,1,", "mug,Mug,,,M,1,", "tee,Tee,Size,M,B,1,", "tee,,,S,C,1,"))
    assert [(product.handle, product.row, product.earlier_row) for product in reading.products] == [
        ("tee", 2, None),
        ("mug", 3, None),
        ("tee", 4, 2),
    ]
    assert reading.products[2].fields == {}
    (note,) = reading.notes
    assert "stood in row 2 already" in note.reason
    assert "stand in row 2 already" in only_error(reading).reason


def test_two_texts_for_one_product_are_an_error() -> None:
    reading = read(sheet("tee,Tee,Size,S,A,1,", "tee,Other,,M,B,1,", "mug,Mug,,,,1,", "tee,Third,,L,C,1,"))
    assert [(error.row, error.column, error.value) for error in reading.errors] == [
        (3, "Title", "Other"),
        (5, "Title", "Third"),
    ]
    assert all("belongs in its first row, 2;" in error.reason for error in reading.errors)


def test_option_names_that_change_are_an_error() -> None:
    reading = read(sheet("tee,Tee,Size,S,A,1,", "tee,,Color,M,B,1,", "tee,,size,L,C,1,"))
    assert (only_error(reading).row, only_error(reading).value) == (3, "Color")


def test_a_row_without_handle_is_an_error() -> None:
    error = only_error(read(sheet("tee,Tee,,,,1,", ",Mug,,,,2,")))
    assert (error.row, error.column, error.value) == (3, "Handle", "Mug")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("tee,Tee,Size,S,A,10,1,extra", "The row has 8 cells, the header 7"),
        ("tee,Tee,Size", "The row has 3 cells, the header 7"),
    ],
)
def test_ragged_rows_are_errors(row: str, reason: str) -> None:
    error = only_error(read(sheet("mug,Mug,,,,1,", row)))
    assert error.row == 3
    assert reason in error.reason


def test_idle_commas_behind_the_last_column_are_nothing() -> None:
    reading = read(sheet("tee,10,,", header="Handle,Price,,"))
    assert reading.problems == []
    error = only_error(read(sheet("tee,10,,x", header="Handle,Price,,")))
    assert "column 4 has no column name" in error.reason


def test_more_variants_than_shopify_keeps_are_errors() -> None:
    reading = read(sheet(*(f"tee,,Size,S{number},,1," for number in range(2050))), max_rows=5000)
    assert len(reading.products[0].variants) == 2048
    assert [error.row for error in reading.errors] == [2050, 2051]


def test_stock_counted_by_another_service_is_noted_once() -> None:
    header = "Handle,Variant Inventory Tracker,Variant Price"
    reading = read(sheet("a,shopify,1", "b,amazon,1", "c,amazon,1", header=header))
    assert [product.variants[0].fields.get("tracked") for product in reading.products] == [True, None, None]
    assert [(note.row, note.value) for note in reading.notes] == [(3, "amazon")]


CELLS = st.one_of(
    st.sampled_from(["", "tee", "mug", "Size", "S", "1", "12,5o", "=A1", "8.59E+11", "#REF!", '"', "\n", "TRUE", "é"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
)


@given(st.lists(st.lists(CELLS, min_size=5, max_size=9), max_size=8))
def test_every_row_is_read_once_or_named(rows: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([HEADER.split(","), *rows])
    reading = read(buffer.getvalue())
    named = {error.row for error in reading.errors}
    taken = [variant.row for product in reading.products for variant in product.variants]
    says_something = {number for number, cells in enumerate(rows, 2) if any(cell.strip() for cell in cells[3:7])}
    assert sorted(says_something - named) == taken
    assert not named & set(taken)


def test_the_row_index_keeps_the_first_row_of_each_key() -> None:
    index, known = RowIndex(4), dict[int, int]()
    draw = random.Random(7)
    keys = [key_of(str(draw.randrange(3000))) for _ in range(5000)]
    answers = [index.put(key, row) for row, key in enumerate(keys)]
    expected = []
    for row, key in enumerate(keys):
        expected.append(known.get(key))
        known.setdefault(key, row)
    assert answers == expected
    assert len(index) == len(known)


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the real product exports are not at {SHARED}")
def test_real_exports_are_read_whole_and_to_the_character() -> None:
    products = variants = 0
    for path in sorted(SHARED.glob("*.csv")):
        with path.open("rb") as file:
            reading = Reading(read_products(file, currency="USD"))
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert reading.errors == []
        assert reading.rows == len(rows)
        assert [product.handle for product in reading.products] == list(dict.fromkeys(row["Handle"] for row in rows))
        bodies = {row["Handle"]: row["Body (HTML)"] for row in rows if row["Title"]}
        assert {product.handle: product.fields.get("description_html", "") for product in reading.products} == bodies
        taken = [variant for product in reading.products for variant in product.variants]
        given = [row for row in rows if row["Option1 Value"]]
        assert [variant.fields.get("sku", "") for variant in taken] == [row["Variant SKU"] for row in given]
        assert [variant.fields.get("barcode", "") for variant in taken] == [row["Variant Barcode"] for row in given]
        assert [variant.fields["available"] for variant in taken] == [
            int(row["Variant Inventory Qty"]) for row in given
        ]
        products += len(reading.products)
        variants += len(taken)
    assert (products, variants) == (1663, 5613)
