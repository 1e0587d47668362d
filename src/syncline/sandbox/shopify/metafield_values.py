"""Whether a value suits a metafield's type (shopify.dev, metafield data types)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

_WHOLE = re.compile(r"-?\d{1,16}", re.ASCII)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_URL = re.compile(r"(https?|mailto|sms|tel):.+")


def _whole(text: str) -> bool:
    return _WHOLE.fullmatch(text) is not None


def _decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _day(text: str) -> bool:
    return _read(date.fromisoformat, text) is not None


def _moment(text: str) -> bool:
    return _read(datetime.fromisoformat, text) is not None


def _json(text: str) -> bool:
    return text == "null" or _read(json.loads, text) is not None


def _object_with(*names: str) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        found = _read(json.loads, text)
        return isinstance(found, dict) and set(names) <= found.keys()

    return holds


def _reference(text: str) -> bool:
    return text.startswith("gid://shopify/")


def _read(how: Callable[[str], Any], text: str) -> Any:
    try:
        return how(text)
    except ValueError:
        return None


_MEASURED = _object_with("value", "unit")
CHECKS: dict[str, Callable[[str], bool]] = {
    "boolean": lambda text: text in {"true", "false"},
    "color": lambda text: _COLOR.fullmatch(text) is not None,
    "date": _day,
    "date_time": _moment,
    "dimension": _MEASURED,
    "id": bool,
    "json": _json,
    "link": _object_with("text", "url"),
    "money": _object_with("amount", "currency_code"),
    "multi_line_text_field": bool,
    "number_decimal": _decimal,
    "number_integer": _whole,
    "rating": _object_with("value", "scale_min", "scale_max"),
    "rich_text_field": _object_with("type"),
    "single_line_text_field": lambda text: "\n" not in text,
    "url": lambda text: _URL.fullmatch(text) is not None,
    "volume": _MEASURED,
    "weight": _MEASURED,
    **dict.fromkeys(
        (
            "article_reference",
            "collection_reference",
            "customer_reference",
            "file_reference",
            "metaobject_reference",
            "mixed_reference",
            "order_reference",
            "page_reference",
            "product_reference",
            "product_taxonomy_value_reference",
            "variant_reference",
        ),
        _reference,
    ),
}
NOT_IN_LISTS = frozenset({"boolean", "json", "money", "multi_line_text_field", "rich_text_field", "id"})


def is_type(kind: str) -> bool:
    inner = kind.removeprefix("list.")
    return inner in CHECKS and not (inner != kind and inner in NOT_IN_LISTS)


def suits(kind: str, value: str) -> bool:
    """Of a type that `is_type`; a list's value is a JSON array of its members' values."""
    if not kind.startswith("list."):
        return CHECKS[kind](value)
    members = _read(json.loads, value)
    if not isinstance(members, list):
        return False
    check = CHECKS[kind.removeprefix("list.")]
    return all(check(one if isinstance(one, str) else json.dumps(one)) for one in members)
