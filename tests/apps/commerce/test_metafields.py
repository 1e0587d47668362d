"""Names of metafields, what people write for each type, and when two values mean the same."""

from __future__ import annotations

import pytest

from syncline.apps.commerce.fields import Owner, find_field, get_editable, same_value
from syncline.apps.commerce.metafield_text import check_type, parse_metafield
from syncline.apps.commerce.metafields import MetafieldName, find_name
from syncline.kernel.errors import InvalidInput


def held(kind: str, value: str, **more: str) -> dict[str, str]:
    return {"type": kind, "value": value, **more}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("metafield.custom.material", MetafieldName("product", "custom", "material")),
        ("metafield:custom.material", MetafieldName("product", "custom", "material")),
        ("variant_metafield.my-app_1.Size-Code", MetafieldName("variant", "my-app_1", "Size-Code")),
        ("metafield.custom", None),
        ("metafield.custom.a.b", None),
        ("metafield.custom.größe", None),
        ("title", None),
    ],
)
def test_names(text: str, name: MetafieldName | None) -> None:
    assert find_name(text) == name


def test_a_metafield_is_a_field_of_its_owner_under_one_name() -> None:
    assert find_field("variant_metafield.custom.Size") == get_editable("variant_metafield:custom.Size")
    assert get_editable("metafield:custom.material").name == "metafield.custom.material"
    assert get_editable("metafield.custom.material").owner is Owner.PRODUCT_METAFIELD


def test_a_misspelt_field_is_told_how_metafields_are_named() -> None:
    with pytest.raises(InvalidInput, match=r"metafield\.NAMESPACE\.KEY"):
        get_editable("metafeld.custom.material")


@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        ("single_line_text_field", "Cotton", "Cotton"),
        ("multi_line_text_field", "a\nb", "a\nb"),
        ("number_integer", " 007 ", "7"),
        ("number_integer", "-9007199254740991", "-9007199254740991"),
        ("number_decimal", "-12.50", "-12.5"),
        ("number_decimal", "9999999999999.999999999", "9999999999999.999999999"),
        ("boolean", "Yes", "true"),
        ("date", "2026-11-22", "2026-11-22"),
        ("date_time", "2026-11-22T10:30:00", "2026-11-22T10:30:00+00:00"),
        ("date_time", "2026-11-22T10:30:00+02:00", "2026-11-22T08:30:00+00:00"),
        ("url", "https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("url", "mailto:shop@example.com", "mailto:shop@example.com"),
        ("color", "#FF8800", "#ff8800"),
        ("json", '{"a": [1, null]}', '{"a": [1, null]}'),
        ("weight", '{"value": 2.5, "unit": "kg"}', '{"value": 2.5, "unit": "kg"}'),
        ("product_reference", "gid://shopify/Product/1", "gid://shopify/Product/1"),
        ("list.single_line_text_field", '["a", "b, c"]', '["a","b, c"]'),
        ("list.number_integer", '[1, "02"]', "[1,2]"),
        ("list.number_decimal", '["1.50", 2]', '["1.5","2"]'),
        ("list.weight", '[{"value": 1, "unit": "g"}]', '[{"value":1,"unit":"g"}]'),
    ],
)
def test_values_as_shopify_keeps_them(kind: str, written: str, kept: str) -> None:
    assert parse_metafield(kind, written) == kept


@pytest.mark.parametrize(
    ("kind", "written", "advice"),
    [
        ("single_line_text_field", "a\nb", "one line"),
        ("single_line_text_field", "  ", "write none to delete"),
        ("number_integer", "12.5", "digits only"),
        ("number_integer", "9007199254740992", "digits only"),
        ("number_decimal", "1,5", "digits with a point"),
        ("number_decimal", "1e3", "digits with a point"),
        ("number_decimal", "0.1234567891", "9 after it"),
        ("boolean", "maybe", "write true or false"),
        ("date", "22.11.2026", "like 2026-11-22"),
        ("date", "2026-02-30", "like 2026-11-22"),
        ("date_time", "tomorrow", "like 2026-11-22T10:30:00"),
        ("url", "example.com", "begin with https://"),
        ("color", "red", "like #ff8800"),
        ("json", "{a: 1}", "not JSON"),
        ("json", "NaN", "not JSON"),
        ("weight", '{"value": 2.5, "unit": "stone"}', "write oz, lb, g or kg"),
        ("money", '{"amount": "5"}', "currency_code"),
        ("product_reference", "123", "gid://shopify/Product/123"),
        ("list.number_integer", "1", "write JSON like"),
        ("list.number_integer", "[]", "cannot be empty"),
        ("list.color", '["#ff8800", "red"]', "like #ff8800"),
    ],
)
def test_values_that_cannot_be_are_told_what_to_write(kind: str, written: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        parse_metafield(kind, written)


def test_unknown_type_is_told_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean number_integer"):
        check_type("number_integr")
    with pytest.raises(ValueError, match=r"not a type"):
        check_type("list.boolean")


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        ("number_decimal", "1.0", "1", True),
        ("number_integer", "10", "010", True),
        ("date_time", "2026-11-22T10:00:00Z", "2026-11-22T12:00:00+02:00", True),
        ("date_time", "2026-11-22T10:00:00", "2026-11-22T10:00:00Z", True),
        ("color", "#FF8800", "#ff8800", True),
        ("json", '{"a": 1, "b": 2.0}', '{"b":2,"a":1}', True),
        ("json", "[1,2]", "[2,1]", False),
        ("list.number_decimal", '["1.0"]', "[1]", True),
        ("list.single_line_text_field", '["a"]', '["A"]', False),
        ("single_line_text_field", "a", "a ", False),
        ("boolean", "true", "false", False),
        ("number_integer", "not a number", "not a number", True),
    ],
)
def test_values_that_mean_the_same(kind: str, one: str, other: str, same: bool) -> None:
    assert same_value("metafield.custom.x", held(kind, one), held(kind, other)) is same


def test_type_counts_and_what_only_the_store_says_does_not() -> None:
    name = "metafield.custom.x"
    assert same_value(name, held("json", "1"), held("json", "1", digest="d", id="5"))
    assert not same_value(name, held("number_integer", "1"), held("number_decimal", "1"))
    assert not same_value(name, held("json", "1"), None)
    assert same_value(name, None, None)
