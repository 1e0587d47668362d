from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.transfer.json_objects import read_array, read_lines
from syncline.apps.commerce.transfer.problems import Problem, Severity
from syncline.apps.commerce.transfer.product_csv import read_products
from syncline.apps.commerce.transfer.product_rows import ProductSheet
from syncline.apps.commerce.transfer.sheet import SheetUnreadable

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(content: Any, *, ignore_unknown: bool = False) -> tuple[list[ProductSheet], list[Problem]]:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    batches = list(read_products(io.BytesIO(data), currency="USD", ignore_unknown=ignore_unknown))
    return (
        [product for batch in batches for product in batch.products],
        [problem for batch in batches for problem in batch.problems],
    )


def errors(content: Any) -> list[tuple[int | None, str | None, str]]:
    _, problems = read(content)
    return [(one.row, one.column, one.reason) for one in problems if one.severity is Severity.ERROR]


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 2]))
def test_an_array_gives_its_elements(values: list[Any], indent: int | None) -> None:
    text = json.dumps(values, indent=indent)
    assert [value for _, value in read_array(io.BytesIO(text.encode()))] == values


@given(st.lists(VALUES, max_size=6))
def test_lines_give_their_values(values: list[Any]) -> None:
    text = "\n\n".join(json.dumps(value) for value in values)
    assert [value for _, value in read_lines(io.BytesIO(text.encode()))] == values


def test_a_long_array_is_read_in_pieces() -> None:
    values = [{"n": number, "text": "x" * 5_000} for number in range(300)]
    assert [value for _, value in read_array(io.BytesIO(json.dumps(values).encode()))] == values


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'[{"a": 1} {"b": 2}]', "After object 1 a comma or ] was expected, but found '{'"),
        (b'[{"a": 1}', "but the file ends"),
        (b'[{"a": nope}]', "Object 1 is not JSON"),
        (b'[{"a": NaN}]', "NaN is no JSON number"),
        (b"[1] 2", "more in the file after the array ends"),
        (b"[" + b"[" * 200_000, "nested too deeply"),
        (b'["\xff"]', "not UTF-8"),
    ],
)
def test_a_broken_array_says_where(text: bytes, reason: str) -> None:
    with pytest.raises(SheetUnreadable) as caught:
        list(read_array(io.BytesIO(text)))
    assert reason in caught.value.problem.reason


@pytest.mark.parametrize(
    ("text", "row", "reason"),
    [
        (b'{"a": 1}\n{\n', 2, "not one JSON object"),
        (b'{"a": 1} {"b": 2}', 1, "more on the line after the object"),
        (b'{"a": "\xff"}', 1, "not UTF-8"),
    ],
)
def test_a_broken_line_is_named(text: bytes, row: int, reason: str) -> None:
    with pytest.raises(SheetUnreadable) as caught:
        list(read_lines(io.BytesIO(text)))
    assert (caught.value.problem.row, reason in caught.value.problem.reason) == (row, True)


def test_a_product_is_its_variants_and_their_stock() -> None:
    (product,), problems = read(
        [
            {
                "handle": "tee",
                "title": "Tee",
                "tags": ["a", "b"],
                "options": ["Size"],
                "variants": [
                    {"id": 1, "options": ["S"], "sku": "T-S", "price": 12.5, "tracked": False},
                    {"options": ["M"], "price": "9", "levels": [{"location": "Main", "available": 3, "on_hand": 4}]},
                ],
            }
        ]
    )
    assert problems == []
    assert (product.fields, product.option_names) == ({"title": "Tee", "tags": ["a", "b"]}, ("Size",))
    assert [(one.options, one.fields, one.location) for one in product.variants] == [
        (("S",), {"sku": "T-S", "price": "12.50", "tracked": False}, None),
        (("M",), {"price": "9.00"}, None),
        (("M",), {"available": 3}, "Main"),
    ]


def test_what_is_wrong_is_named_by_object_and_path() -> None:
    found = errors(
        [
            {"handle": "a", "variants": [{"price": "12,5o"}, 7, {"options": [1, 2, 3, 4]}]},
            {"title": "no handle"},
            "text",
            {"handle": "b", "title": ["x"], "colour": "red"},
            {"handle": "c", "title": "zero \0 byte", "variants": {}},
            {"handle": "d", "variants": [{"sku": "half \ud83d"}]},
        ]
    )
    assert [(row, column) for row, column, _ in found] == [
        (1, "variants[0].price"),
        (1, "variants[1]"),
        (1, "variants[2].options"),
        (2, "handle"),
        (3, None),
        (4, "title"),
        (4, "colour"),
        (5, "title"),
        (6, "variants[0].sku"),
    ]


def test_names_that_are_known_and_not_imported_are_notes_once() -> None:
    content = [{"handle": name, "id": 1, "created_at": "x", "collections": [], "images": []} for name in "ab"]
    _, problems = read(content)
    assert {problem.severity for problem in problems} == {Severity.NOTE}
    assert sorted(problem.value for problem in problems) == ["collections", "images"]


def test_unknown_names_can_be_left_out() -> None:
    products, problems = read([{"handle": "a", "title": "A", "colour": "red"}], ignore_unknown=True)
    assert [product.fields for product in products] == [{"title": "A"}]
    assert [(problem.column, problem.severity) for problem in problems] == [("colour", Severity.NOTE)]
