"""What a file of a sheet may be as a file: its encoding, its quotes, its ends, its length."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.commerce.transfer.reading import HEADER, only_error, read, sheet

from syncline.apps.commerce.transfer.product_csv import read_products
from syncline.apps.commerce.transfer.sheet_text import MAX_CELL


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n \n"])
def test_an_empty_file_says_so(content: bytes) -> None:
    error = only_error(read(content))
    assert "The file is empty" in error.reason
    assert error.stops


def test_a_header_alone_is_an_error() -> None:
    assert "a header and no rows" in only_error(read(sheet())).reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_unicode_in_every_form_is_read(encoding: str, end: str) -> None:
    content = sheet("tee,Tée 👕,,,,1,").replace("\n", end).encode(encoding)
    reading = read(content)
    assert reading.errors == []
    assert reading.products[0].fields == {"title": "Tée 👕"}
    assert bool(reading.notes) is encoding.startswith("utf-16")
    assert read(content, encoding="utf-8").products == reading.products


def test_another_encoding_is_named_with_byte_row_and_column() -> None:
    text = sheet("mug,Mug,,,,1,", "tee,Tée,,,,1,")
    content = text.encode("windows-1252")
    reading = read(content)
    error = only_error(reading)
    assert (error.row, error.column, error.value, error.stops) == (3, "Title", "E9", True)
    assert f"Byte {content.index(0xE9):,} of the file (E9) is not UTF-8 text." in error.reason
    assert "windows-1252" in error.reason
    assert [product.fields["title"] for product in read(content, encoding="windows-1252").products] == ["Mug", "Tée"]


def test_the_place_of_a_bad_byte_is_right_far_into_the_file() -> None:
    rows = [f'handle-{number},"Two\nlines é",,,S-{number},1,' for number in range(60_000)]
    good = sheet(*rows).encode()
    offset = good.index(b"S-54321") + 2
    content = good[:offset] + b"\xc3" + good[offset:]
    error = read(content, max_rows=100_000).errors[-1]
    assert (error.row, error.column) == (54323, "Variant SKU")
    assert f"Byte {offset:,} " in error.reason


def test_a_bad_first_byte_of_a_row_belongs_to_that_row() -> None:
    error = only_error(read(sheet("mug,Mug,,,,1,").encode() + b"\xe9tui,E,,,,1,\n"))
    assert (error.row, error.column) == (3, "Handle")


def test_a_file_cut_inside_a_character_is_noticed() -> None:
    error = only_error(read(sheet("tee,T,,,,1,").encode() + "mug,é".encode()[:-1]))
    assert (error.row, error.stops) == (3, True)


def test_an_encoding_that_does_not_exist_is_refused() -> None:
    for name in ("klingon", "hex"):
        assert f"There is no encoding '{name}'" in only_error(read(sheet("tee,,,,,1,"), encoding=name)).reason


def test_a_zero_byte_stops_at_its_row() -> None:
    error = only_error(read(sheet("tee,Tee,,,,1,", "mug,M\0g,,,,1,")))
    assert (error.row, error.stops) == (3, True)
    assert "zero byte" in error.reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('tee,"Tee,,,,1,', "never closed"),
        ('tee,"5" pipe",,,,1,', "write two quotes for one"),
        (f'tee,"{"x" * (MAX_CELL + 1)}",,,,1,', "a quote is probably not closed"),
    ],
)
def test_a_quote_out_of_place_stops_at_the_row_it_opens_in(row: str, reason: str) -> None:
    error = only_error(read(sheet("mug,Mug,,,,1,", row, "cup,Cup,,,,1,", "pot,Pot,,,,1,")))
    assert (error.row, error.stops) == (3, True)
    assert reason in error.reason


@pytest.mark.parametrize(("delimiter", "word"), [(";", "a semicolon"), ("\t", "a tab"), ("|", "a bar")])
def test_other_delimiters_are_noticed_and_read(delimiter: str, word: str) -> None:
    reading = read(sheet("tee,Tee,Size,S,A,10.5,1").replace(",", delimiter))
    assert reading.errors == []
    assert f"separated by {word}" in reading.notes[0].reason
    assert reading.products[0].variants[0].fields["price"] == "10.50"


def test_too_many_rows_stop() -> None:
    reading = read(sheet(*(f"tee-{number},T,,,,1," for number in range(11))), max_rows=10)
    error = only_error(reading)
    assert (error.row, error.stops) == (12, True)
    assert "more than 10 rows" in error.reason


def test_batches_are_bounded_and_say_how_far_they_are() -> None:
    content = sheet(*(f"tee-{number},T,,,,1," for number in range(95)))
    reading = read(content, batch_products=10)
    assert [len(batch.products) for batch in reading.batches] == [10] * 9 + [5]
    assert reading.rows == 95
    assert reading.batches[-1].position == len(content)
    assert sorted(batch.rows for batch in reading.batches) == [batch.rows for batch in reading.batches]


def test_many_problems_do_not_pile_up() -> None:
    reading = read(sheet(*(f"tee-{number},T,,,,x," for number in range(1200))), max_rows=5000)
    assert len(reading.errors) == 1200
    assert max(len(batch.problems) for batch in reading.batches) == 500


def test_the_file_stays_open_and_is_the_callers() -> None:
    file = io.BytesIO(sheet("tee,Tee,,,,1,").encode())
    batches = read_products(file, currency="USD", batch_products=1)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert not file.closed


@given(st.binary(max_size=200))
def test_any_bytes_give_products_or_problems(content: bytes) -> None:
    reading = read(content)
    assert reading.products or reading.problems


@given(st.text(max_size=200))
def test_any_text_below_a_header_gives_products_or_problems(text: str) -> None:
    reading = read((HEADER + "\n" + text).encode("utf-8", "replace"))
    assert all(problem.reason for problem in reading.problems)
