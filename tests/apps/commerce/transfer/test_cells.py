from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.transfer.cells import holds_unkept, marked, needs_mark, text_of, unmarked

# What a spreadsheet rewrites, and apostrophes before it.
TEXTS = st.one_of(st.text(), st.text(alphabet="'=+-@\t\r019e./ab", max_size=8))


@given(TEXTS)
def test_a_mark_goes_on_and_comes_off(text: str) -> None:
    assert unmarked(marked(text)) == text


@given(TEXTS, TEXTS)
def test_no_two_texts_share_a_cell(one: str, other: str) -> None:
    assert (marked(one) == marked(other)) == (one == other)


@given(TEXTS)
def test_no_marked_text_is_computed(text: str) -> None:
    assert not marked(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-x",
        "@a",
        "\tx",
        "00123",
        "859123456789",
        "1e5",
        "1.10",
        "3-11",
        "2026/11/22",
        "12:30",
        "mar 5",
        "12.5",
    ],
)
def test_what_a_spreadsheet_rewrites_is_marked(text: str) -> None:
    assert needs_mark(text)
    assert needs_mark(f"'{text}")


@pytest.mark.parametrize("text", ["", "'", "Shirt", "'quoted", "123", "RED-S", "a=b", "5-6-7-8", "marble"])
def test_what_a_spreadsheet_leaves_is_not(text: str) -> None:
    assert marked(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (12, "12"),
        (12.0, "12"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (8.59123456789e11, "859123456789"),
        (Decimal("1E+2"), "100"),
        (["a", "b"], "a, b"),
        (datetime(2026, 11, 22, tzinfo=UTC), "2026-11-22T00:00:00+00:00"),
        ({"a": 1}, '{"a":1}'),
        (float("inf"), "inf"),
    ],
)
def test_a_typed_value_reads_as_a_csv_cell_would(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_what_no_database_keeps_is_seen() -> None:
    assert [holds_unkept(text) for text in ("a\0b", "\ud83d", "🧶", "a\x0bb")] == [True, True, False, False]
