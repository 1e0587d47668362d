"""The kinds of file that go in and out, told apart by their name or by their first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePath

from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.kernel.errors import FieldError, InvalidInput


class FileFormat(StrEnum):
    """The value is the usual ending of the file's name."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


MEDIA_TYPES: Mapping[FileFormat, str] = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.JSON: "application/json",
    FileFormat.JSONL: "application/x-ndjson",
    FileFormat.PARQUET: "application/vnd.apache.parquet",
}

_ENDINGS = {**{one.value: one for one in FileFormat}, "ndjson": FileFormat.JSONL}
_ZIP, _OLD_EXCEL, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1"


def format_called(word: str) -> FileFormat:
    """The format of that name. Raises `InvalidInput` naming all of them."""
    found = _ENDINGS.get(word.strip().lower().removeprefix("."))
    if found is None:
        known = [one.value for one in FileFormat]
        sentence = f"There is no format {word.strip()!r}.{did_you_mean(word, known)} Use {join_or(known)}."
        raise InvalidInput(sentence, fields=[FieldError("format", sentence)])
    return found


def format_of_name(name: str) -> FileFormat:
    """By the ending. Raises `InvalidInput` for a name without one that is known."""
    ending = PurePath(name).suffix.removeprefix(".").lower()
    if ending not in _ENDINGS:
        known = join_or([f".{one.value}" for one in FileFormat])
        sentence = f"The name {PurePath(name).name!r} does not say what kind of file it is; end it in {known}."
        raise InvalidInput(sentence, fields=[FieldError("format", sentence)])
    return _ENDINGS[ending]


def format_of_bytes(head: bytes) -> FileFormat:
    """By how the file begins, whatever it is called; text that is nothing else is CSV."""
    if head.startswith((_ZIP, _OLD_EXCEL)):
        return FileFormat.XLSX
    if head.startswith(_PARQUET):
        return FileFormat.PARQUET
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return FileFormat.JSON
    return FileFormat.JSONL if text.startswith(b"{") else FileFormat.CSV


def is_old_excel(head: bytes) -> bool:
    """A file of Excel before 2007, or one with a password, which is wrapped in the same way."""
    return head.startswith(_OLD_EXCEL)
