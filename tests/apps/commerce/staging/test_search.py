from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.staging.search import (
    MAX_LENGTH,
    Op,
    Pattern,
    Search,
    SearchField,
    SearchKind,
    SearchValue,
    Term,
    parse_search,
)
from syncline.apps.commerce.staging.search_fields import FREE_TEXT, MIRROR_FIELDS, change_fields
from syncline.kernel.errors import InvalidInput

CHANGE_FIELDS = change_fields(["pending", "approved", "conflict"])


def only(text: str) -> Term:
    (term,) = parse_search(text, MIRROR_FIELDS).terms
    return term


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, number, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "name", "op", "values"),
    [
        ("vendor:Acme", "vendor", Op.IS, ("Acme",)),
        ("VENDOR:Acme", "vendor", Op.IS, ("Acme",)),
        ("status:Active,draft", "status", Op.IS, ("active", "draft")),
        ('type:"Gift card"', "product_type", Op.IS, ("Gift card",)),
        ('vendor:"Acme, Inc",Globex', "vendor", Op.IS, ("Acme, Inc", "Globex")),
        (r"vendor:Acme\,\ Inc", "vendor", Op.IS, ("Acme, Inc",)),
        (r'title:"5\" pipe"', "title", Op.IS, ('5" pipe',)),
        ("tag:sale", "tags", Op.IS, ("sale",)),
        ("title:*shirt*", "title", Op.IS, (Pattern(("", "shirt", "")),)),
        ('title:"red *"', "title", Op.IS, (Pattern(("red ", "")),)),
        (r"title:5\*", "title", Op.IS, ("5*",)),
        ("sku:none", "sku", Op.IS, (None,)),
        ("sku:none,A-1", "sku", Op.IS, (None, "A-1")),
        ('sku:"none"', "sku", Op.IS, ("none",)),
        ('sku:""', "sku", Op.IS, ("",)),
        ("compare_at_price:none", "compare_at_price", Op.IS, (None,)),
        ("price:10", "price", Op.IS, (Decimal(10),)),
        ("price:10,12.5", "price", Op.IS, (Decimal(10), Decimal("12.5"))),
        ("price:>=10", "price", Op.GE, (Decimal(10),)),
        ("price:<9.99", "price", Op.LT, (Decimal("9.99"),)),
        ("price<9.99", "price", Op.LT, (Decimal("9.99"),)),
        ("price>=10", "price", Op.GE, (Decimal(10),)),
        ("created_at>2026-11-22", "created_at", Op.GE, (day(23),)),
        ("price:10..20", "price", Op.RANGE, (Decimal(10), Decimal(20))),
        ("inventory:..0", "available", Op.RANGE, (None, Decimal(0))),
        ("inventory:-5..", "available", Op.RANGE, (Decimal(-5), None)),
        ("taxable:yes", "taxable", Op.IS, (True,)),
        ("created_at:2026-11-22", "created_at", Op.RANGE, (day(22), day(23))),
        ("created_at:2026-11-01..2026-11-05", "created_at", Op.RANGE, (day(1), day(6))),
        ("created_at:>2026-11-22", "created_at", Op.GE, (day(23),)),
        ("created_at:>=2026-11-22", "created_at", Op.GE, (day(22),)),
        ("created_at:<=2026-11-22", "created_at", Op.LT, (day(23),)),
        ("created_at:<2026-11-22", "created_at", Op.LT, (day(22),)),
        ("created_at:>2026-11-22T12:00+02:00", "created_at", Op.GT, (day(22, 10),)),
        ("published_at:none", "published_at", Op.IS, (None,)),
    ],
)
def test_a_term(text: str, name: str, op: Op, values: tuple[SearchValue, ...]) -> None:
    term = only(text)
    assert term.field is not None
    assert (term.field.name, term.op, term.values, term.negated) == (name, op, values, False)


def test_a_whole_search_keeps_its_terms_in_order_with_their_positions() -> None:
    text = 'vendor:Acme status:active price:>=10 tag:sale -type:"Gift card" title:*shirt* free text'
    terms = parse_search(text, MIRROR_FIELDS).terms
    names = [term.field.name if term.field else None for term in terms]
    assert names == ["vendor", "status", "price", "tags", "product_type", "title", None, None]
    assert [term.negated for term in terms] == [False, False, False, False, True, False, False, False]
    assert [text[term.position - 1] for term in terms] == list("vspt-tft")


def test_free_text_is_words_phrases_and_patterns() -> None:
    terms = parse_search('red "blue shirt" -old shir*', MIRROR_FIELDS).terms
    assert [(term.op, term.values, term.negated) for term in terms] == [
        (Op.TEXT, ("red",), False),
        (Op.TEXT, ("blue shirt",), False),
        (Op.TEXT, ("old",), True),
        (Op.TEXT, (Pattern(("shir", "")),), False),
    ]
    assert set(FREE_TEXT) <= {field.name for field in MIRROR_FIELDS}


@pytest.mark.parametrize("text", ["", "  \t\n "])
def test_nothing_finds_everything(text: str) -> None:
    assert parse_search(text, MIRROR_FIELDS) == Search(())


def test_a_pattern_becomes_an_escaped_like() -> None:
    assert Pattern(("100%_", "\\")).like == "100\\%\\_%\\\\"


@pytest.mark.parametrize(
    ("text", "sentence", "position"),
    [
        ("vendr:Acme", r"no search field 'vendr'\. Did you mean vendor\? Use title, handle, ", 1),
        ("red http://x", "'http'.*put a text with a colon in quotes", 5),
        ("price:abc", "'abc' is not a number; write digits with a point", 1),
        ("a price:>=10,5", "write one value after >=", 3),
        ("price:>", "'' is not a number", 1),
        ("price:20..10", "write 10..20", 1),
        ("price:..", "write one range, like 10..20", 1),
        ("price:10..20,30..40", "write one range", 1),
        ("price:none", "every record has one", 1),
        ("title:>5", "> compares numbers and dates only", 1),
        ("status:actve", r"write active, draft, archived or unlisted\. Did you mean active\?", 1),
        ("taxable:perhaps", "write true, yes, false or no", 1),
        ("vendor:", "write a value right after the colon", 1),
        ("vendor: Acme", "write a value right after the colon", 1),
        ("vendor:Acme,, Globex", "A list has an empty place", 1),
        ("vendor:Acme, Globex", "A list has an empty place", 1),
        ('x vendor:"Acme', "A quote is opened and not closed", 10),
        ("created_at:yesterday", "is not a date; write 2026-11-22", 1),
        ("created_at:2026-02-30", "is not a date", 1),
        ("created_at:9999-12-31", "is not a date", 1),
        ("created_at:2026-11-22T10:00", "a day like 2026-11-22 is found as a whole", 1),
        ("created_at:2026-11-01,2026-11-02", "write one day, or a range", 1),
        ("published_at:none,2026-11-02", "none and a date cannot be in one list", 1),
        ("a - b", "A minus stands alone", 3),
        ("vendor:A OR vendor:B", "There is no OR", 10),
        ("a AND b", "leave AND out", 3),
        ("NOT a", "write a minus before the term", 1),
        ("(a b)", "There are no brackets", 1),
    ],
)
def test_what_is_unclear_is_answered_with_its_position(text: str, sentence: str, position: int) -> None:
    with pytest.raises(InvalidInput, match=sentence) as caught:
        parse_search(text, MIRROR_FIELDS)
    assert caught.value.extra == {"position": position}
    assert f"at character {position} " in caught.value.sentence
    assert caught.value.fields[0].field == "search"


def test_a_quoted_operator_is_text() -> None:
    assert [term.values for term in parse_search('"OR" "(a"', MIRROR_FIELDS).terms] == [("OR",), ("(a",)]


def test_a_search_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 20,000 characters"):
        parse_search("a" * (MAX_LENGTH + 1), MIRROR_FIELDS)


def test_a_pasted_list_of_skus_fits() -> None:
    skus = [f"SKU-{number:06}" for number in range(1000)]
    assert only("sku:" + ",".join(skus)).values == tuple(skus)


def test_staged_changes_have_their_own_fields() -> None:
    search = parse_search("status:pending kind:variant field:price vendor:Acme batch:0199 -author:ann", CHANGE_FIELDS)
    names = [(term.field.name, term.field.entity) for term in search.terms if term.field]
    assert names == [
        ("status", "change"),
        ("kind", "change"),
        ("field", "change"),
        ("vendor", "product"),
        ("batch", "change"),
        ("author", "change"),
    ]
    with pytest.raises(InvalidInput, match="write pending, approved or conflict"):
        parse_search("status:active", CHANGE_FIELDS)


@pytest.mark.parametrize("fields", [MIRROR_FIELDS, CHANGE_FIELDS])
def test_no_name_stands_for_two_fields(fields: tuple[SearchField, ...]) -> None:
    names = [name for field in fields for name in (field.name, *field.aliases)]
    assert len(names) == len(set(names))


SYNTAX = st.text(st.sampled_from('abc019:,"*\\-><=. \n()T%') | st.characters(), max_size=40)
NAMES = st.sampled_from([name for field in MIRROR_FIELDS for name in (field.name, *field.aliases)])


@given(st.lists(st.one_of(SYNTAX, st.builds("{}:{}".format, NAMES, SYNTAX)), max_size=4).map(" ".join))
def test_any_text_gives_a_search_or_a_sentence(text: str) -> None:
    with suppress(InvalidInput):
        search = parse_search(text, MIRROR_FIELDS)
        assert all(term.values for term in search.terms)
        assert all(1 <= term.position <= len(text) for term in search.terms)


@given(st.text(min_size=1, max_size=30))
def test_a_quoted_and_escaped_text_is_found_as_it_is(text: str) -> None:
    escaped = "".join(f"\\{character}" if character in '\\"*' else character for character in text)
    assert only(f'vendor:"{escaped}"').values == (text,)


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=2), st.sampled_from([Op.GT, Op.GE, Op.LT, Op.LE]))
def test_comparisons_keep_the_number(number: Decimal, op: Op) -> None:
    term = only(f"price:{op}{number:f}")
    assert (term.op, term.values) == (op, (number,))
    assert term.field is not None
    assert term.field.kind is SearchKind.NUMBER
