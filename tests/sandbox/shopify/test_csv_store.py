from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from syncline.sandbox.shopify.csv_store import CsvNotReadableError, Loaded, load_csv
from syncline.sandbox.shopify.state import Product, Store, Variant

REAL = Path(__file__).parents[4] / "shared" / "data" / "shopify-product-csv"
needs_real_files = pytest.mark.skipif(not REAL.is_dir(), reason=f"the real product exports are not at {REAL}")

CLASSIC = """\
Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,\
Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,\
Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Variant Barcode,Image Src,Gift Card,SEO Title,\
SEO Description,Variant Weight Unit
tee, Tee ,"<p>One
\u2028two</p>\r
",Acme,Shirt,"Sale, eco,SALE ,",true,Size,S,Color,Red,T-1,454,shopify,-2,continue,50,60.5,true,false,'0123,https://x/1.jpg,\
false,Tee | Acme,About,lb
tee,,,,,,,,,,,,,,,,,,,,,https://x/2.jpg,,,,
tee,,,,,,,,M,,Red,,1500,,,deny,0.5,,false,true,,,,,,kg
mug,Mug,,,,,false,Title,Default Title,,,"",0,shopify,3,deny,7.00,,true,true,,,true,,,g
tee,,,,,,,,L,,Red,T-1,,shopify,1,deny,50.00,,true,true,,,,,,
"""
CURRENT = """\
Title,URL handle,Description,Vendor,Type,Tags,Published on online store,Status,Option1 name,Option1 value,Price,\
Compare-at price,Cost per item,Charge tax,Inventory tracker,Inventory quantity,Continue selling when out of stock,\
Weight value (grams),\
Weight unit for display,Requires shipping,Gift card,SEO title,SEO description
Lamp,lamp,<b>Lit</b>,Acme,Lamp,new,TRUE,Draft,Title,Default Title,19.9,,7.25,TRUE,shopify,4,DENY,250,g,TRUE,FALSE,,
"""


@pytest.fixture
def classic(tmp_path: Path) -> Path:
    path = tmp_path / "classic.csv"
    path.write_text(CLASSIC, encoding="utf-8", newline="")
    return path


def product(store: Store, handle: str) -> Product:
    found = store.find_product_by_handle(handle)
    assert found is not None
    return found


def variants(store: Store, handle: str) -> list[Variant]:
    return store.variants_of(product(store, handle))


def test_every_address_of_an_image_is_one_image_of_the_product(classic: Path) -> None:
    store = Store()
    load_csv(store, [classic])
    shown = store.media.shown_by(product(store, "tee").id)
    assert [(one.content_type, one.url, one.alt) for one in shown] == [
        ("IMAGE", "https://x/1.jpg", None),
        ("IMAGE", "https://x/2.jpg", None),
    ]
    assert store.media.shown_by(product(store, "mug").id) == []


def test_rows_of_one_handle_are_one_product_and_image_rows_are_none(classic: Path) -> None:
    store = Store()
    assert load_csv(store, [classic]) == Loaded(products=2, variants=4)
    assert [v.title for v in variants(store, "tee")] == ["S / Red", "M / Red", "L / Red"]
    assert [(o.name, o.values) for o in product(store, "tee").options] == [
        ("Size", ["S", "M", "L"]),
        ("Color", ["Red"]),
    ]


def test_texts_are_kept_to_the_character(classic: Path) -> None:
    store = Store()
    load_csv(store, [classic])
    tee = product(store, "tee")
    assert tee.title == " Tee "
    assert tee.description_html == "<p>One\n\u2028two</p>\r\n"
    assert variants(store, "tee")[0].barcode == "'0123"
    assert (tee.seo_title, tee.seo_description) == ("Tee | Acme", "About")


def test_prices_get_the_currency_s_digits(classic: Path) -> None:
    store = Store()
    load_csv(store, [classic])
    shown = [(v.price, v.compare_at_price) for v in variants(store, "tee")]
    assert shown == [("50.00", "60.50"), ("0.50", None), ("50.00", None)]


def test_an_empty_sku_is_empty_and_a_missing_column_is_null(classic: Path, tmp_path: Path) -> None:
    store = Store()
    load_csv(store, [classic])
    assert [v.sku for v in variants(store, "tee")] == ["T-1", "", "T-1"]
    bare = tmp_path / "bare.csv"
    bare.write_text("Handle,Title,Variant Price\nbare,Bare,1\n")
    load_csv(store, [bare])
    assert (variants(store, "bare")[0].sku, variants(store, "bare")[0].barcode) == (None, None)


def test_inventory_weight_and_flags(classic: Path) -> None:
    store = Store()
    load_csv(store, [classic])
    first, second, _ = variants(store, "tee")
    items = [store.items[v.item_id] for v in (first, second)]
    assert [(i.tracked, i.requires_shipping, i.weight, i.weight_unit) for i in items] == [
        (True, True, Decimal("1.0009"), "POUNDS"),
        (False, False, Decimal("1.50"), "KILOGRAMS"),
    ]
    assert [(v.taxable, v.inventory_policy) for v in (first, second)] == [(False, "CONTINUE"), (True, "DENY")]
    assert [level.available for level in store.levels_of(first.item_id)] == [-2]


def test_tags_status_vendor_and_publication(classic: Path) -> None:
    store = Store()
    load_csv(store, [classic])
    tee, mug = product(store, "tee"), product(store, "mug")
    assert tee.tags == ["eco", "Sale"]
    assert (tee.status, mug.status) == ("ACTIVE", "ACTIVE")
    assert tee.published_at is not None
    assert mug.published_at is None
    assert (mug.vendor, mug.is_gift_card, tee.is_gift_card) == (store.shop.name, True, False)


def test_the_current_column_names_are_read(tmp_path: Path) -> None:
    path = tmp_path / "current.csv"
    path.write_text("\ufeff" + CURRENT, encoding="utf-8")
    store = Store()
    load_csv(store, [path])
    lamp = product(store, "lamp")
    (variant,) = variants(store, "lamp")
    assert (lamp.status, lamp.description_html, lamp.is_gift_card) == ("DRAFT", "<b>Lit</b>", False)
    assert (variant.price, variant.sku, store.items[variant.item_id].unit_cost) == ("19.90", None, "7.25")


def test_a_taken_handle_is_numbered(classic: Path) -> None:
    store = Store()
    load_csv(store, [classic, classic])
    assert list(store.product_by_handle) == ["tee", "mug", "tee-1", "mug-1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Title,Variant Price\nx,1\n", r"no column Handle"),
        ("Handle,Title,Variant Price\n,x,1\n", r"row 2: the handle is empty"),
        ('Handle,Title,Variant Price\na,x,"12,5o"\n', r"row 2: Variant Price '12,5o' is not a number"),
        ("Handle,Title,Variant Price\na,x,NaN\n", r"not a number"),
        ("Handle,Title,Variant Price\na,x,1,2\n", r"row 2: more cells"),
        ("Handle,Title,Variant Weight Unit\na,x,stone\n", r"'stone' is none of g, kg, lb, oz"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(CsvNotReadableError, match=message):
        load_csv(Store(), [path])


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("Handle,Title\na,Été\n".encode("latin-1"))
    with pytest.raises(CsvNotReadableError, match="not UTF-8"):
        load_csv(Store(), [path])


@pytest.mark.shared_data
@needs_real_files
def test_the_eight_real_files_give_the_known_counts() -> None:
    store = Store()
    files = sorted(REAL.glob("*.csv"))
    assert len(files) == 8
    assert load_csv(store, files) == Loaded(products=1663, variants=5613)
    sizes = Counter(len(p.variant_ids) for p in store.products.values())
    assert max(sizes) == 69


@pytest.mark.shared_data
@needs_real_files
@pytest.mark.parametrize("path", sorted(REAL.glob("*.csv")), ids=lambda path: path.stem)
def test_real_rows_are_kept_to_the_character(path: Path) -> None:
    store = Store()
    load_csv(store, [path])
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first = {row["Handle"]: row for row in reversed(rows)}
    assert [(p.handle, p.title, p.description_html, p.vendor, p.product_type) for p in store.products.values()] == [
        (row["Handle"], row["Title"], row["Body (HTML)"], row["Vendor"], row["Type"])
        for row in (first[handle] for handle in dict.fromkeys(row["Handle"] for row in rows))
    ]
    of_handle = {handle: [row for row in rows if row["Handle"] == handle and row["Variant Price"]] for handle in first}
    for item in store.products.values():
        shown = [(v.sku, v.barcode, Decimal(v.price), v.option_values[0]) for v in store.variants_of(item)]
        assert shown == [
            (row["Variant SKU"], row["Variant Barcode"], Decimal(row["Variant Price"]), row["Option1 Value"])
            for row in of_handle[item.handle]
        ]
