from __future__ import annotations

import pytest

from syncline.apps.commerce.transfer.formats import FileFormat, format_called, format_of_bytes, format_of_name
from syncline.kernel.errors import InvalidInput


@pytest.mark.parametrize(
    ("name", "found"),
    [("a.csv", "csv"), ("b.XLSX", "xlsx"), ("/x/c.json", "json"), ("d.ndjson", "jsonl"), ("e.tar.parquet", "parquet")],
)
def test_a_name_says_what_it_is(name: str, found: str) -> None:
    assert format_of_name(name) == found


@pytest.mark.parametrize("name", ["a", "a.txt", ".csv", "csv"])
def test_a_name_that_does_not_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"end it in .csv, .xlsx, .json, .jsonl or .parquet"):
        format_of_name(name)


def test_a_word_is_a_format_or_refused() -> None:
    assert format_called(" .CSV ") is FileFormat.CSV
    with pytest.raises(InvalidInput, match="Did you mean parquet"):
        format_called("parket")


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"PK\x03\x04rest", FileFormat.XLSX),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileFormat.XLSX),
        (b"PAR1", FileFormat.PARQUET),
        (b"\xef\xbb\xbf [\n{}]", FileFormat.JSON),
        (b'\n{"a":1}', FileFormat.JSONL),
        (b"Handle,Title", FileFormat.CSV),
        (b"", FileFormat.CSV),
    ],
)
def test_the_first_bytes_say_what_it_is(head: bytes, found: FileFormat) -> None:
    assert format_of_bytes(head) is found
