from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from syncline.apps.commerce.fields import AnyValue, Owner, Value
from syncline.apps.commerce.staging.diff import FieldChange
from syncline.apps.commerce.transfer.matching import Matched, Matcher, MirrorProduct, MirrorVariant
from syncline.apps.commerce.transfer.problems import Severity
from syncline.apps.commerce.transfer.product_csv import read_products
from syncline.apps.commerce.transfer.product_rows import ProductSheet, VariantSheet

MAIN = 61
SHARED = Path(__file__).parents[5] / "shared" / "data" / "shopify-product-csv"


def variant(number: int, *options: str, stock: int | None = 5, **fields: Value) -> MirrorVariant:
    known: dict[str, Value] = {
        "sku": f"T-{number}",
        "barcode": None,
        "price": "10.00",
        "compare_at_price": None,
        "weight": "0.5997",
        "weight_unit": "pounds",
        "tracked": True,
    }
    return MirrorVariant(number, 100 + number, options, {**known, **fields}, {MAIN: stock})


TEE = MirrorProduct(
    1,
    "tee",
    ("Color", "Size"),
    {"title": "Tee", "vendor": "Acme", "tags": ["b", "a"], "description_html": "<p>a\nb</p>"},
    (variant(1, "Red", "S"), variant(2, "Red", "M"), variant(3, "Blue", "S")),
)
MUG = MirrorProduct(2, "mug", ("Title",), {"title": "Mug"}, (variant(9, "Default Title", sku="M-1"),))


def match(
    *sheets: ProductSheet, location_id: int | None = MAIN, near: Sequence[str] = (), matcher: Matcher | None = None
) -> Matched:
    chosen = matcher or Matcher(location_id=location_id, near_handles=lambda _: near)
    return chosen.match(sheets, {"tee": TEE, "mug": MUG})


def tee(*variants: VariantSheet, names: tuple[str, ...] = ("Color", "Size"), **fields: Value) -> ProductSheet:
    return ProductSheet("tee", 2, fields, names, list(variants))


def changes(matched: Matched) -> list[tuple[Owner, int, Mapping[str, AnyValue]]]:
    return [
        (proposal.owner, proposal.id, {change.field: change.after for change in proposal.changes})
        for proposal in matched.proposals
    ]


def test_a_row_becomes_changes_of_product_variant_and_stock() -> None:
    row = VariantSheet(2, ("Red", "S"), {"price": "12.00", "sku": "T-1", "available": 8})
    matched = match(tee(row, title="New tee", vendor="Acme", tags=["a", "b"]))
    assert changes(matched) == [
        (Owner.PRODUCT, 1, {"title": "New tee"}),
        (Owner.VARIANT, 1, {"price": "12.00"}),
        (Owner.INVENTORY_LEVEL, 101, {"available": 8}),
    ]
    stock = matched.proposals[2]
    assert (stock.location_id, stock.product_id, stock.row, stock.label) == (MAIN, 1, 2, "Tee · Red / S")
    assert stock.changes == (FieldChange("available", 5, 8),)
    assert matched.problems == []


def test_what_is_already_so_is_counted_and_not_proposed() -> None:
    matched = match(tee(VariantSheet(2, ("Red", "S"), {"price": "10.0", "available": 5}), title="Tee"))
    assert (matched.proposals, matched.problems, matched.unchanged) == ([], [], 3)


def test_an_unknown_handle_suggests_the_nearest() -> None:
    (problem,) = match(ProductSheet("tea", 7), near=["tee", "pea"]).problems
    assert (problem.row, problem.column, problem.value) == (7, "Handle", "tea")
    assert problem.reason.endswith("Did you mean tee or pea?")


def test_an_unknown_option_combination_suggests_the_nearest() -> None:
    matched = match(
        tee(VariantSheet(3, ("Blue", "Sm"), {"price": "1.00"}), VariantSheet(4, ("Red", "M"), {"price": "2.00"}))
    )
    (problem,) = matched.problems
    assert (problem.row, problem.column, problem.value) == (3, "Option1 Value", "Blue / Sm")
    assert "Did you mean Blue / S" in problem.reason
    assert changes(matched) == [(Owner.VARIANT, 2, {"price": "2.00"})]


def test_a_missing_option_value_lists_what_there_is() -> None:
    (problem,) = match(tee(VariantSheet(3, ("Zebra",), {"price": "1.00"}))).problems
    assert problem.reason.endswith("It has Red / S, Red / M or Blue / S.")


def test_options_are_matched_by_name_in_any_order() -> None:
    matched = match(tee(VariantSheet(2, ("S", "blue"), {"price": "1.00"}), names=("size", "COLOR")))
    assert changes(matched) == [(Owner.VARIANT, 3, {"price": "1.00"})]


def test_other_option_names_are_noted_once_and_the_place_decides() -> None:
    matcher = Matcher(location_id=MAIN, near_handles=lambda _: [])
    sheet = tee(VariantSheet(2, ("Blue", "S"), {"price": "1.00"}), names=("Colour", "Size"))
    first, second = match(sheet, matcher=matcher), match(sheet, matcher=matcher)
    assert changes(first) == changes(second) == [(Owner.VARIANT, 3, {"price": "1.00"})]
    assert [problem.severity for problem in first.problems + second.problems] == [Severity.NOTE]


def test_values_that_differ_only_in_case_must_be_exact() -> None:
    product = MirrorProduct(3, "cap", ("Size",), {}, (variant(1, "s"), variant(2, "S")))
    matcher = Matcher(location_id=None, near_handles=lambda _: [])
    exact = ProductSheet("cap", 2, {}, ("Size",), [VariantSheet(2, ("S",), {"price": "1.00"})])
    loose = ProductSheet("cap", 3, {}, ("Size",), [VariantSheet(3, (" S",), {"price": "1.00"})])
    assert changes(matcher.match([exact], {"cap": product})) == [(Owner.VARIANT, 2, {"price": "1.00"})]
    (problem,) = matcher.match([loose], {"cap": product}).problems
    assert "2 variants differ from this only in upper and lower case" in problem.reason


def test_a_row_without_options_means_the_only_variant() -> None:
    matched = match(ProductSheet("mug", 2, {}, (), [VariantSheet(2, (), {"price": "7.00"})]))
    assert changes(matched) == [(Owner.VARIANT, 9, {"price": "7.00"})]
    assert matched.proposals[0].label == "Mug"


def test_a_row_without_options_may_name_its_sku() -> None:
    matched = match(tee(VariantSheet(2, (), {"sku": "T-3", "price": "7.00"}), names=()))
    assert changes(matched) == [(Owner.VARIANT, 3, {"price": "7.00"})]


@pytest.mark.parametrize("fields", [{"price": "7.00"}, {"price": "7.00", "sku": "unknown"}])
def test_a_row_that_does_not_say_which_variant_is_a_problem(fields: dict[str, Value]) -> None:
    (problem,) = match(tee(VariantSheet(5, (), fields), names=())).problems
    assert problem.row == 5
    assert "3 variants and the row does not say which one" in problem.reason


def test_two_rows_for_one_variant_are_a_problem() -> None:
    rows = VariantSheet(2, ("Red", "S"), {"price": "1.00"}), VariantSheet(3, (), {"sku": "T-1", "price": "2.00"})
    matched = match(tee(*rows))
    assert changes(matched) == [(Owner.VARIANT, 1, {"price": "1.00"})]
    assert "same variant as in row 2" in matched.problems[0].reason


def test_without_a_location_quantities_stay_and_it_is_noted_once() -> None:
    rows = VariantSheet(2, ("Red", "S"), {"available": 1}), VariantSheet(3, ("Red", "M"), {"available": 1})
    matched = match(tee(*rows), location_id=None)
    assert matched.proposals == []
    assert [(problem.row, problem.severity) for problem in matched.problems] == [(2, Severity.NOTE)]


def test_a_variant_not_stocked_at_the_location_is_a_problem() -> None:
    matched = match(
        tee(VariantSheet(2, ("Red", "S"), {"available": 1}), VariantSheet(3, ("Red", "M"), {"available": 0})),
        location_id=99,
    )
    assert [(problem.row, problem.severity) for problem in matched.problems] == [(2, Severity.ERROR)]


@pytest.mark.parametrize(
    ("current", "given", "after"),
    [
        ("0123", "'0123", None),
        ("'0123", "'0123", None),
        ("'0123", "0123", "0123"),
        (None, "'0123", "0123"),
        ("5", "'0123", "0123"),
    ],
)
def test_the_apostrophe_of_a_spreadsheet_is_no_change(current: str | None, given: str, after: str | None) -> None:
    product = MirrorProduct(3, "cap", ("Title",), {}, (variant(1, "Default Title", barcode=current),))
    sheet = ProductSheet("cap", 2, {}, (), [VariantSheet(2, (), {"barcode": given})])
    matched = Matcher(location_id=None, near_handles=lambda _: []).match([sheet], {"cap": product})
    assert [change.after for proposal in matched.proposals for change in proposal.changes] == [after] * bool(after)


def test_line_ends_of_a_spreadsheet_are_no_change() -> None:
    assert match(tee(description_html="<p>a\r\nb</p>")).proposals == []


@pytest.mark.parametrize(
    ("grams", "unit", "after"),
    [
        ("272", None, {}),
        ("272", "pounds", {}),
        ("273", None, {"weight": "0.6019"}),
        ("0", None, {"weight": "0"}),
        (None, "kilograms", {"weight": "0.272", "weight_unit": "kilograms"}),
        ("500", "kilograms", {"weight": "0.5", "weight_unit": "kilograms"}),
        ("272", "grams", {"weight": "272.0193", "weight_unit": "grams"}),
    ],
)
def test_grams_become_the_weight_in_its_unit(grams: str | None, unit: str | None, after: dict[str, Value]) -> None:
    fields: dict[str, Value] = {"weight_unit": unit} if unit else {}
    matched = match(ProductSheet("mug", 2, {}, (), [VariantSheet(2, (), fields, grams)]))
    assert [fields for _, _, fields in changes(matched)] == [after] * bool(after)


def test_no_weight_and_no_grams_are_the_same() -> None:
    product = MirrorProduct(3, "cap", ("Title",), {}, (variant(1, "Default Title", weight=None, weight_unit=None),))
    sheet = ProductSheet("cap", 2, {}, (), [VariantSheet(2, (), {}, "0")])
    assert Matcher(location_id=None, near_handles=lambda _: []).match([sheet], {"cap": product}).proposals == []


def mirror_of(path: Path) -> dict[str, MirrorProduct]:
    """What a store loaded from the export holds: every value of the sheet, grams as kilograms."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    products: dict[str, MirrorProduct] = {}
    for number, row in enumerate(rows):
        if row["Title"]:
            names = tuple(row[f"Option{index} Name"] for index in (1, 2, 3) if row[f"Option{index} Name"])
            fields: dict[str, Value] = {
                "title": row["Title"],
                "description_html": row["Body (HTML)"],
                "vendor": row["Vendor"],
                "product_type": row["Type"],
                "tags": [tag.strip() for tag in row["Tags"].split(",") if tag.strip()],
                "seo_title": row["SEO Title"] or None,
                "seo_description": row["SEO Description"] or None,
            }
            products[row["Handle"]] = MirrorProduct(number, row["Handle"], names, fields, ())
        product = products[row["Handle"]]
        if row["Option1 Value"]:
            known: dict[str, Value] = {
                "sku": row["Variant SKU"] or None,
                "barcode": row["Variant Barcode"].removeprefix("'") or None,
                "price": row["Variant Price"],
                "compare_at_price": row["Variant Compare At Price"] or None,
                "taxable": row["Variant Taxable"] == "true",
                "inventory_policy": row["Variant Inventory Policy"],
                "requires_shipping": row["Variant Requires Shipping"] == "true",
                "tracked": row["Variant Inventory Tracker"] == "shopify",
                "cost": row.get("Cost per item") or None,
                "weight": str(int(row["Variant Grams"] or 0) / 1000),
                "weight_unit": "kilograms",
            }
            options = tuple(row[f"Option{index} Value"] for index in range(1, len(product.option_names) + 1))
            item = MirrorVariant(number, number, options, known, {MAIN: int(row["Variant Inventory Qty"])})
            products[row["Handle"]] = MirrorProduct(
                product.id, product.handle, product.option_names, product.fields, (*product.variants, item)
            )
    return {handle: replace(one, images=images_of(path, handle)) for handle, one in products.items()}


def images_of(path: Path, handle: str) -> tuple[str, ...]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return tuple(row["Image Src"] for row in csv.DictReader(file) if row["Handle"] == handle)


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the real product exports are not at {SHARED}")
@pytest.mark.parametrize("path", sorted(SHARED.glob("*.csv")), ids=lambda path: path.stem)
def test_a_real_export_read_back_changes_nothing_but_units(path: Path) -> None:
    matcher, mirror = Matcher(location_id=MAIN, near_handles=lambda _: []), mirror_of(path)
    with path.open("rb") as file:
        matched = [matcher.match(batch.products, mirror) for batch in read_products(file, currency="USD")]
    assert [problem for part in matched for problem in part.problems] == []
    changed = {change.field for part in matched for proposal in part.proposals for change in proposal.changes}
    assert changed <= {"weight", "weight_unit"}


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the real product exports are not at {SHARED}")
def test_a_real_export_with_new_prices_changes_each_price_once() -> None:
    path = SHARED / "partners2017_snowdevil.csv"
    with path.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    for row in rows:
        row["Variant Price"] = row["Variant Price"] and f"{float(row['Variant Price']) + 1:.2f}"
    buffer = io.StringIO(newline="")
    columns = [
        "Handle",
        "Option1 Name",
        "Option1 Value",
        "Option2 Name",
        "Option2 Value",
        "Option3 Name",
        "Option3 Value",
    ]
    writer = csv.DictWriter(buffer, [*columns, "Variant Price"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    matcher, mirror = Matcher(location_id=MAIN, near_handles=lambda _: []), mirror_of(path)
    batches = read_products(io.BytesIO(buffer.getvalue().encode()), currency="USD")
    proposals = [proposal for batch in batches for proposal in matcher.match(batch.products, mirror).proposals]
    assert len({proposal.id for proposal in proposals}) == len(proposals) == 622
    assert {change.field for proposal in proposals for change in proposal.changes} == {"price"}


def at(location: str, quantity: int, *options: str) -> VariantSheet:
    return VariantSheet(3, options, {"available": quantity, "sku": "another"}, location=location)


def test_a_row_with_a_location_is_about_the_stock_there_and_nothing_else() -> None:
    matcher = Matcher(location_id=None, near_handles=lambda _: (), locations={"Main": MAIN, "Shop": 62})
    matched = match(tee(at("main", 9, "Red", "S"), at("Main", 5, "Red", "M")), matcher=matcher)
    assert matched.problems == []
    assert changes(matched) == [(Owner.INVENTORY_LEVEL, 101, {"available": 9})]
    assert matched.unchanged == 1


@pytest.mark.parametrize(("name", "reason"), [("Mein", "Did you mean Main?"), ("SHOP", "no active location")])
def test_a_location_that_is_unknown_or_not_clear_is_named(name: str, reason: str) -> None:
    places = {"Main": MAIN, "Shop": 62, "shop": 63}
    matcher = Matcher(location_id=None, near_handles=lambda _: (), locations=places)
    matched = match(tee(at(name, 9, "Red", "S")), matcher=matcher)
    (problem,) = matched.problems
    assert (problem.column, problem.value, reason in problem.reason) == ("Location", name, True)


def test_marked_texts_are_the_texts() -> None:
    sheet = ProductSheet("tee", 2, {"vendor": "'=1+1", "title": "'quoted"}, (), [])
    assert changes(match(sheet)) == [(Owner.PRODUCT, 1, {"title": "'quoted", "vendor": "=1+1"})]
    assert changes(match(ProductSheet("tee", 2, {"title": "Tee"}, (), []))) == []


@pytest.mark.parametrize("grams", ["272.02", "272.019", "272", "272.019344", "273"])
def test_grams_with_fewer_digits_change_nothing(grams: str) -> None:
    """0.5997 lb are 272.019344289 g."""
    expected = [] if grams != "273" else [(Owner.VARIANT, 1, {"weight": "0.6019"})]
    assert changes(match(tee(VariantSheet(2, ("Red", "S"), {}, grams=grams)))) == expected
