from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.field_text import parse_value
from syncline.apps.commerce.fields import (
    ALIASES,
    BESIDES,
    CATALOGUE,
    FIELDS,
    Field,
    Kind,
    Owner,
    Value,
    canonical,
    fields_of,
    get_editable,
    same_value,
)
from syncline.kernel.errors import InvalidInput

AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=2)


def test_names_are_unique_and_aliases_lead_to_fields() -> None:
    assert len(FIELDS) == len(CATALOGUE) + len(BESIDES)
    assert set(ALIASES.values()) <= set(FIELDS)
    assert not set(ALIASES) & set(FIELDS)


def test_choices_belong_to_choice_fields_only() -> None:
    assert {field.name for field in FIELDS.values() if field.choices} == {
        field.name for field in FIELDS.values() if field.kind is Kind.CHOICE
    }


def test_each_kind_of_record_has_its_fields() -> None:
    assert [field.name for field in fields_of(Owner.INVENTORY_LEVEL)] == ["available"]
    assert "price" in [field.name for field in fields_of(Owner.VARIANT)]
    assert sum(len(fields_of(owner)) for owner in Owner) == len(FIELDS)


@pytest.mark.parametrize(
    ("name", "raw", "currency", "written"),
    [
        ("price", Decimal("12.5"), "USD", "12.50"),
        ("price", "1250.00", "JPY", "1250"),
        ("price", Decimal("0E-9"), "USD", "0.00"),
        ("cost", "0.125", "USD", "0.125"),
        ("price", "1.5", "KWD", "1.500"),
        ("weight", 0.60, "USD", "0.6"),
        ("weight", Decimal("1E+2"), "USD", "100"),
        ("weight", 0, "USD", "0"),
        ("status", "ACTIVE", "USD", "active"),
        ("weight_unit", "KILOGRAMS", "USD", "kilograms"),
        ("tags", ("b", "A"), "USD", ["b", "A"]),
        ("available", 3, "USD", 3),
        ("taxable", True, "USD", True),
        ("sku", None, "USD", None),
        ("sku", "", "USD", ""),
    ],
)
def test_values_are_written_in_one_way(name: str, raw: object, currency: str, written: Value) -> None:
    assert canonical(name, raw, currency) == written


def test_a_mirror_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a number"):
        canonical("price", "abc", "USD")


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("price", "12.5", "12.50", True),
        ("price", "12.50", "12.51", False),
        ("compare_at_price", None, "0.00", False),
        ("tags", ["a", "b"], ["b", "a"], True),
        ("tags", ["a"], ["A"], False),
        ("tags", [], ["a"], False),
        ("sku", None, "", False),
        ("barcode", "", None, False),
        ("seo_title", None, "", True),
        ("template_suffix", "", None, True),
        ("title", "a", "a ", False),
        ("weight", "0.60", "0.6", True),
    ],
)
def test_equality_is_the_stores(name: str, one: Value, other: Value, same: bool) -> None:
    assert same_value(name, one, other) is same
    assert same_value(name, other, one) is same


@given(AMOUNTS)
def test_money_survives_writing_and_reading(amount: Decimal) -> None:
    written = canonical("price", amount, "USD")
    assert isinstance(written, str)
    assert Decimal(written) == amount
    assert parse_value(FIELDS["price"], written, "USD") == written


def test_unknown_field_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"no field 'pirce'\. Did you mean price\? Use title, "):
        get_editable("pirce")


def test_handle_is_not_editable() -> None:
    with pytest.raises(InvalidInput, match="handle cannot be changed here"):
        get_editable("handle")


def test_other_words_find_the_field() -> None:
    assert get_editable("Inventory").name == "available"
    assert get_editable("compare-at-price").name == "compare_at_price"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("price", "12,5o", "'12,5o' is not an amount; write 12.50"),
        ("price", "$1,299.00", "write 1299.00"),
        ("price", "1.299,00", "write 1299.00"),
        ("price", "12.50 USD", "write 12.50"),
        ("price", "abc", "write digits with a point, like 12.50"),
        ("price", "1,2,3", "write digits with a point, like 12.50"),
        ("price", "-1", "below zero"),
        ("price", "12.345", "finer than USD allows; write at most 2 digits"),
        ("available", "2.5", "not a whole number"),
        ("available", "1,000", "like 1000"),
        ("available", "2000000000", "more than Shopify keeps"),
        ("taxable", "maybe", "write true or false"),
        ("status", "actve", r"write active, draft, archived or unlisted\. Did you mean active\?"),
        ("title", "  ", "title cannot be empty"),
        ("vendor", "x" * 256, "256 characters; Shopify keeps at most 255"),
        ("weight", "-1", "below zero"),
        ("tags", "x" * 256, "longer than 255"),
        ("tags", ",".join(map(str, range(251))), "251 tags are more than the 250"),
    ],
)
def test_what_cannot_be_read_says_what_to_write(name: str, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_value(FIELDS[name], text, "USD")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("price", " 12.5 ", "12.50"),
        ("price", "12.500", "12.50"),
        ("available", "5.0", 5),
        ("available", "-3", -3),
        ("taxable", "TRUE", True),
        ("requires_shipping", "no", False),
        ("status", "Active", "active"),
        ("weight_unit", "kg", "kilograms"),
        ("weight_unit", "lb", "pounds"),
        ("weight", "0.250", "0.25"),
        ("tags", " a, B ,,a,A ", ["a", "B"]),
        ("description_html", " <p>\n</p> ", " <p>\n</p> "),
    ],
)
def test_what_people_write_is_understood(name: str, text: str, value: Value) -> None:
    assert parse_value(FIELDS[name], text, "USD") == value


def test_yen_have_no_digits_after_the_point() -> None:
    assert parse_value(FIELDS["price"], "1200.00", "JPY") == "1200"
    with pytest.raises(ValueError, match="no digits after the point"):
        parse_value(FIELDS["price"], "1200.5", "JPY")


@given(st.sampled_from(CATALOGUE), st.text(max_size=40))
def test_any_text_gives_a_value_or_a_sentence(field: Field, text: str) -> None:
    with suppress(ValueError):
        value = parse_value(field, text, "USD")
        assert same_value(field.name, value, value)
        assert value is not None
