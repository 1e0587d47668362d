"""Values as the text of a cell, and the mark that keeps a spreadsheet from doing something else with a text.

A spreadsheet that opens a CSV file takes `=1+1` for a formula, `00123` for the number 123, `3-11` for a day in March
and `859123456789` for 8.59E+11, and saves what it took. Shopify's own export puts an apostrophe before such barcodes;
we put one before every text that would be taken for something else, and take exactly one away on reading. A text that
begins with apostrophes before such a thing gets one more, so that no two texts share a cell.
Why formulas matter: owasp.org/www-community/attacks/CSV_Injection, read November 2026.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

Cell = str | int | float | bool | Decimal | date | list[str] | None

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_TAKEN_FOR_A_NUMBER = re.compile(
    r"'*(?:0\d+|\d{12,}|\d+e\d+|\d+\.\d*0|\d{1,4}([-/.])\d{1,2}(?:\1\d{1,4})?|\d{1,2}:\d{2}(?::\d{2})?"
    rf"|{_MONTH}[-/ ]?\d{{1,4}}|\d{{1,2}}[-/ ]?{_MONTH}(?:[-/ ]\d{{2,4}})?|true|false)",
    re.IGNORECASE,
)
_UNKEPT = re.compile("[\0\ud800-\udfff]")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may compute `text`."""
    return _FORMULA.match(text) is not None


def needs_mark(text: str) -> bool:
    """Whether a spreadsheet takes `text` for a formula, a number or a day, in a column where it is a name or a code."""
    return is_formula(text) or _TAKEN_FOR_A_NUMBER.fullmatch(text) is not None


def marked(text: str) -> str:
    return f"'{text}" if needs_mark(text) else text


def unmarked(text: str) -> str:
    """`text` without the mark, if it has one."""
    return text[1:] if text.startswith("'") and needs_mark(text[1:]) else text


def holds_unkept(text: str) -> bool:
    """A zero byte or half a character, which JSON and workbooks can write and no database keeps."""
    return _UNKEPT.search(text) is not None


def text_of(value: Any) -> str:
    """A typed value as its cell in a CSV file would be read: no exponents, `true` and `false`, lists with commas."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else _plain(repr(value))
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case list() | tuple():
            return ", ".join(text_of(one) for one in value)
        case _:
            return msgspec.json.encode(value, enc_hook=str).decode()


def _plain(number: str) -> str:
    return f"{Decimal(number):f}" if number[-1].isdigit() else number
