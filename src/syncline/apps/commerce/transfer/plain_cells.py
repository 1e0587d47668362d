"""Cells as the one text that stands for their value, which the database makes of the mirror's value too.

Two cells with the same text mean the same to the importer. What has no such text, because it is wrong or needs looking
at, is None: its product is then read row by row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncline.apps.commerce.field_text import parse_number
from syncline.apps.commerce.fields import FIELDS, Field, Kind, Owner, decimal_text
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.transfer.cells import unmarked
from syncline.apps.commerce.transfer.sheet_columns import Column, Role
from syncline.apps.commerce.transfer.sheet_row import RowReader
from syncline.kernel.money import minor_digits

JOINT, TAG_JOINT = "\x1f", "\x1b"
"""Between the cells of one row, and between the tags of one cell."""
GRAMS, STOCK = "grams", "available"
BLANK = {"tracked": "false"}
"""What a blank cell is compared as, beside a cell of the same product that is not: in Shopify's own export it says that
Shopify does not track the stock."""

_REMEMBERED = 5_000
# Nothing that a spreadsheet marks, spoils or computes, and no longer than any field allows.
_PLAIN_TEXT = re.compile(r"[^\W_][\w .-]{0,99}")
_PLAIN_CODE = re.compile(r"'?[^\W_][\w .-]{0,99}")

Plain = Callable[[str], str | None]


class _Known(dict[str, str | None]):
    """What the texts of one column mean, worked out once for those that stand in it again and again."""

    def __init__(self, read: Plain, blank: str) -> None:
        super().__init__({"": blank})
        self._read = read

    def __missing__(self, text: str) -> str | None:
        meant = None if text.isspace() else self._read(text)
        if len(self) < _REMEMBERED:
            self[text] = meant
        return meant


def repeating(read: Plain, blank: str = "") -> Plain:
    """`read` for a column in which texts repeat."""
    return _Known(read, blank).__getitem__


@dataclass(frozen=True, slots=True)
class PlainColumn:
    """A column of the sheet and the field it is compared with, or `grams`."""

    index: int
    name: str
    read: Plain

    @property
    def owner(self) -> Owner:
        """The record that its cells stand beside; that of a metafield is the one that has it."""
        if self.name == GRAMS:
            return Owner.VARIANT
        metafield = find_name(self.name)
        return FIELDS[self.name].owner if metafield is None else Owner(metafield.owner)


def plain_columns(columns: Sequence[Column], rows: RowReader, currency: str) -> list[PlainColumn]:
    return [
        PlainColumn(column.index, *_plain(column, rows, currency))
        for column in columns
        if column.role in {Role.FIELD, Role.GRAMS, Role.METAFIELD}
    ]


def _plain(column: Column, rows: RowReader, currency: str) -> tuple[str, Plain]:
    name = str(column.target)
    match column.role:
        case Role.GRAMS:
            return GRAMS, repeating(_grams)
        case Role.METAFIELD:
            return name, repeating(_html)
        case _:
            return name, _reader(FIELDS[name], rows, currency)


def _reader(field: Field, rows: RowReader, currency: str) -> Plain:
    if field.name in {"sku", "barcode"}:
        return _texts(field, rows, _PLAIN_CODE, _code)
    if field.kind is Kind.TEXT:
        return _texts(field, rows, _PLAIN_TEXT, unmarked)
    if field.kind is Kind.HTML:
        return _texts(field, rows, _PLAIN_TEXT, _html)
    if field.name == "tracked":
        return repeating(_tracked, blank=BLANK[field.name])
    if field.kind is Kind.MONEY:
        return _money(_values(field, rows), minor_digits(currency))
    return repeating(_values(field, rows))


def _texts(field: Field, rows: RowReader, plain: re.Pattern[str], meant: Callable[[str], str]) -> Plain:
    fits = plain.fullmatch

    def read(text: str) -> str | None:
        if not text:
            return text
        if fits(text) is None:
            if text.isspace():
                return None
            try:
                rows.value_of(field, text)
            except ValueError:
                return None
        return meant(text)

    return read


def _code(text: str) -> str:
    return text.removeprefix("'")


def _html(text: str) -> str:
    return unmarked(text).replace("\r\n", "\n")


def _money(read: Plain, digits: int) -> Plain:
    """Most amounts are written as they are meant, and there are too many of them to remember all."""
    fits = re.compile(rf"(?:0|[1-9]\d{{0,11}})\.\d{{{digits}}}" if digits else r"0|[1-9]\d{0,11}", re.ASCII).fullmatch

    def read_amount(text: str) -> str | None:
        if not text or fits(text):
            return text
        return None if text.isspace() else read(text)

    return read_amount


def _values(field: Field, rows: RowReader) -> Plain:
    def read(text: str) -> str | None:
        try:
            value = rows.value_of(field, text)
        except ValueError:
            return None
        match value:
            case bool():
                return "true" if value else "false"
            case list():
                return TAG_JOINT.join(value)
            case _:
                return None if value is None else str(value)

    return read


def _tracked(text: str) -> str | None:
    """Another service that counts the stock is told once, so its rows are read."""
    word = text.strip().lower()
    return "true" if word == "shopify" else word if word in {"true", "false"} else None


def _grams(text: str) -> str | None:
    try:
        return decimal_text(parse_number(text))
    except ValueError:
        return None
