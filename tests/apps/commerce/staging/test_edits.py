from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.fields import FIELDS, AnyValue, Owner, Value
from syncline.apps.commerce.staging.edits import (
    ChangeTags,
    SetValue,
    apply,
    describe,
    edits_for,
    owner_of,
    parse_edit,
    parse_edits,
)
from syncline.kernel.errors import InvalidInput

VARIANT: dict[str, Value] = {
    "price": "19.99",
    "compare_at_price": None,
    "cost": "8.00",
    "sku": "TEE-1",
    "barcode": None,
    "taxable": True,
    "inventory_policy": "deny",
    "weight": "0.5",
    "weight_unit": "kilograms",
}
PRODUCT: dict[str, Value] = {
    "title": "Tee",
    "handle": "tee",
    "vendor": "Acme",
    "status": "active",
    "tags": ["Summer", "old"],
    "seo_title": None,
    "description_html": "<p>x</p>",
}


def change(expression: str, current: dict[str, Value], currency: str = "USD") -> dict[str, AnyValue]:
    return apply(parse_edits([expression], currency=currency), current, currency)


@pytest.mark.parametrize(
    ("expression", "changes"),
    [
        ("price=24.5", {"price": "24.50"}),
        ("price=19.990", {}),
        ("price=+10%", {"price": "21.99"}),
        ("price=-10%", {"price": "17.99"}),
        ("price = + 2", {"price": "21.99"}),
        ("price=-5", {"price": "14.99"}),
        ("price=*1.2", {"price": "23.99"}),
        ("price=*50%", {"price": "10.00"}),
        ("price=-100%", {"price": "0.00"}),
        ("price=+10%~.99", {"price": "21.99"}),
        ("price=+8%~.95", {"price": "21.95"}),
        ("price=~.00", {"price": "20.00"}),
        ("price=cost*2.5~.95", {"price": "19.95"}),
        ("compare_at_price=price", {"compare_at_price": "19.99"}),
        ("compare_at_price=price+5", {"compare_at_price": "24.99"}),
        ("compare_at_price=none", {}),
        ("compare_at_price=+10%", {}),
        ("cost=none", {"cost": None}),
        ("sku=none", {"sku": None}),
        ('sku="none"', {"sku": "none"}),
        ('sku=""', {"sku": ""}),
        ("taxable=no", {"taxable": False}),
        ("taxable=yes", {}),
        ("inventory_policy=continue", {"inventory_policy": "continue"}),
        ("weight=0.50", {}),
        ("weight=1.25", {"weight": "1.25"}),
        ("weight_unit=g", {"weight_unit": "grams"}),
    ],
)
def test_edits_of_a_variant(expression: str, changes: dict[str, Value]) -> None:
    assert change(expression, VARIANT) == changes


@pytest.mark.parametrize(
    ("expression", "changes"),
    [
        ("tags=+sale,-OLD", {"tags": ["Summer", "sale"]}),
        ("tags=+SUMMER", {}),
        ("tags=-missing", {}),
        ("tags=old, Summer", {}),
        ("tags=a,b", {"tags": ["a", "b"]}),
        ("tags=none", {"tags": []}),
        ('tags="+plus"', {"tags": ["+plus"]}),
        ('title="New title"', {"title": "New title"}),
        ('title="a" and "b"', {"title": '"a" and "b"'}),
        ('title=5" pipe', {"title": '5" pipe'}),
        (r'title="5\" pipe"', {"title": '5" pipe'}),
        ("title=a=b", {"title": "a=b"}),
        ("status=Archived", {"status": "archived"}),
        ("vendor=none", {"vendor": ""}),
        ("description=<p>y</p>", {"description_html": "<p>y</p>"}),
        ('seo_title=""', {}),
        ("seo_title=Best tee", {"seo_title": "Best tee"}),
    ],
)
def test_edits_of_a_product(expression: str, changes: dict[str, Value]) -> None:
    assert change(expression, PRODUCT) == changes


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("price", "write field=value, like price=19.99"),
        ("pirce=1", "Did you mean price"),
        ("handle=x", "cannot be changed here"),
        ("price=", "write a value"),
        ("sku=", "write sku=none to clear it"),
        ("price=none", "price cannot be cleared"),
        ("title=none", "title cannot be cleared"),
        ("price=12,5o", "write 12.50"),
        ("price=vendor", "or one of price, compare_at_price, cost"),
        ("price=12.345", "at most 2 digits"),
        ("price=-150%", "more than 100 % off"),
        ("price=+10%~9", "an ending is the part after the point, like .95"),
        ("price=+10%~.999", "an ending is"),
        ("status=on", "write active, draft, archived or unlisted"),
        ("taxable=perhaps", "write true or false"),
        ("tags=+a,b", r"give every tag a \+ or a -"),
        ("tags=+a,-A", "a cannot be added and removed at once"),
        ("tags=+", r"name a tag after \+ or -"),
        ('tags="a', "a quote is opened and not closed"),
        ('title="abc', "a quote is opened and not closed"),
        ("inventory=2.5", "not a whole number"),
        ("inventory=none", "not a whole number"),
        ("inventory=5@", "name the location after @"),
    ],
)
def test_what_is_wrong_is_said_before_anything_happens(expression: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        parse_edits([expression], currency="USD")


def test_all_wrong_expressions_are_listed() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_edits(["price=x", "status=on", "vendor=Acme"], currency="USD")
    assert [error.field for error in caught.value.fields] == ["price=x", "status=on"]


def test_nothing_to_change_is_refused() -> None:
    with pytest.raises(InvalidInput, match="write at least one edit"):
        parse_edits([], currency="USD")


def test_one_field_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="sets price a second time"):
        parse_edits(["price=1", "price=+5%"], currency="USD")


def test_two_locations_are_two_edits_and_no_location_is_all() -> None:
    assert len(parse_edits(["inventory=1@Main", "inventory=2@Shop"], currency="USD")) == 2
    with pytest.raises(InvalidInput, match="a second time"):
        parse_edits(["inventory=1@Main", "inventory=2"], currency="USD")


def test_edits_see_the_record_as_it_was() -> None:
    edits = parse_edits(["price=-10%", "compare_at_price=price"], currency="USD")
    assert apply(edits, VARIANT, "USD") == {"price": "17.99", "compare_at_price": "19.99"}


def test_edits_of_other_records_are_passed_over() -> None:
    edits = parse_edits(["price=1", "vendor=Globex", "inventory=+1"], currency="USD")
    assert apply(edits, VARIANT, "USD") == {"price": "1.00"}
    assert apply(edits, PRODUCT, "USD") == {"vendor": "Globex"}
    assert [owner_of(edit) for edit in edits] == [Owner.VARIANT, Owner.PRODUCT, Owner.INVENTORY_LEVEL]
    assert edits_for(Owner.PRODUCT, edits) == (edits[1],)


@pytest.mark.parametrize(
    ("expression", "available", "changes"),
    [
        ("inventory=10", 3, {"available": 10}),
        ("inventory=3", 3, {}),
        ("inventory=+5", 3, {"available": 8}),
        ("inventory=-3", 3, {"available": 0}),
        ("inventory=+5", -23, {"available": -18}),
        ("inventory=+5", None, {}),
        ("inventory=10@main WAREHOUSE", 3, {"available": 10}),
        ('inventory=+1@"Main warehouse"', 3, {"available": 4}),
        ("inventory=10@Shop", 3, {}),
    ],
)
def test_edits_of_stock(expression: str, available: int | None, changes: dict[str, Value]) -> None:
    assert change(expression, {"available": available, "location": "Main warehouse"}) == changes


def test_stock_is_not_taken_below_zero() -> None:
    edits = parse_edits(["inventory=-5"], currency="USD")
    with pytest.raises(InvalidInput, match=r"^TEE-1 at Main: the available quantity would go from 3 to -2"):
        apply(edits, {"available": 3}, "USD", row="TEE-1 at Main")


def test_a_price_below_zero_names_the_row() -> None:
    with pytest.raises(InvalidInput, match=r"^TEE-1: the price would go from 19\.99 to -0\.01, below zero\.$"):
        change("price=-20", VARIANT)


def test_a_price_from_nothing_says_how_to_leave_the_row_out() -> None:
    with pytest.raises(InvalidInput, match=r"there is no compare-at price .* -compare_at_price:none"):
        change("price=compare_at_price", VARIANT)


def test_an_amount_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(InvalidInput, match="more than 15 digits"):
        change("price=*999999999999", {"price": "999999999999999.00"})


@pytest.mark.parametrize(
    ("expression", "before", "after", "currency"),
    [
        ("price=+10%", "1999", "2199", "JPY"),
        ("price=*1.5", "333", "500", "JPY"),
        ("price=+10%", "1.255", "1.381", "KWD"),
        ("price=~.5", "1.255", "1.500", "KWD"),
        ("price=+0%", "0.10", "0.10", "USD"),
        ("price=*3", "0.10", "0.30", "USD"),
    ],
)
def test_amounts_are_exact_in_every_currency(expression: str, before: str, after: str, currency: str) -> None:
    edits = parse_edits([expression], currency=currency)
    assert apply(edits, {"price": before}, currency).get("price", before) == after


def test_an_ending_needs_a_currency_with_a_point() -> None:
    with pytest.raises(InvalidInput, match="JPY has no digits after the point; write the last digits"):
        parse_edits(["price=+10%~.99"], currency="JPY")


@pytest.mark.parametrize(
    ("expression", "clause"),
    [
        ("price=+10%~.99", "price raised by 10 %, ending in .99"),
        ("price=-5", "price lowered by 5 USD"),
        ("price=cost*2.5", "price taken from the cost per item, raised by 150 %"),
        ("compare_at_price=price", "compare-at price taken from the price"),
        ("compare_at_price=none", "compare-at price cleared"),
        ("tags=+sale,-old", "tags sale added, tags old removed"),
        ("tags=a,b", "tags replaced by a, b"),
        ("tags=none", "all tags removed"),
        ("inventory=-2@Shop", "available quantity lowered by 2 at Shop"),
        ("taxable=yes", "taxable set to yes"),
    ],
)
def test_edits_read_as_clauses(expression: str, clause: str) -> None:
    assert describe(parse_edit(expression, currency="USD"), "USD") == clause


TAGS = st.lists(st.text("abAB +-", min_size=1, max_size=3).map(str.strip).filter(bool), max_size=6)


@given(TAGS, TAGS, TAGS)
def test_tag_operations_done_twice_are_done_once(there: list[str], add: list[str], remove: list[str]) -> None:
    edit = ChangeTags("tags", tuple(add), tuple(remove))
    current: dict[str, Value] = {"tags": list({tag.casefold(): tag for tag in there}.values())}
    once = {**current, **apply([edit], current, "USD")}
    twice = {**once, **apply([edit], once, "USD")}
    result = once["tags"]
    assert isinstance(result, list)
    assert {tag.casefold() for tag in add} <= {tag.casefold() for tag in result}
    assert twice == once


@given(
    st.decimals(min_value=0, max_value=10**9, places=2),
    st.integers(-100, 1000),
    st.sampled_from(["", "~.99", "~.5", "~.00"]),
)
def test_a_percentage_gives_a_price_of_the_currency(price: Decimal, percent: int, ending: str) -> None:
    changes = change(f"price={percent:+d}%{ending}", {"price": str(price)})
    result = Decimal(str(changes.get("price", price)))
    assert result >= 0
    assert result == round(result, 2)
    assert abs(result - price * (100 + percent) / 100) <= (Decimal("0.005") if not ending else Decimal("0.995"))


@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=30))
def test_any_expression_gives_an_edit_or_a_sentence(name: str, text: str) -> None:
    with suppress(InvalidInput):
        edit = parse_edit(f"{name}={text}", currency="USD")
        assert edit.field == name
        assert describe(edit, "USD")


def test_a_set_value_is_stored_as_it_is_compared() -> None:
    assert parse_edit("price=5", currency="USD") == SetValue("price", "5.00")
