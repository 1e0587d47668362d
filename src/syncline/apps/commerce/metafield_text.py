"""What people write for a metafield's value, read strictly by its type; what is wrong is answered with what to write.

The forms and limits are Shopify's (shopify.dev, list of data types, read November 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from syncline.apps.commerce.field_text import parse_boolean, shortened
from syncline.apps.commerce.fields import decimal_text
from syncline.apps.commerce.metafields import MEASURES, REFERENCES, TYPES
from syncline.apps.commerce.nearest import did_you_mean, join_or

_BIGGEST_WHOLE = 9_007_199_254_740_991
_WHOLE = re.compile(r"[+-]?\d{1,16}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,13}(?:\.\d{1,9})?", re.ASCII)
_COLOR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_URL = re.compile(r"(?:https?://|mailto:|sms:|tel:)\S+", re.IGNORECASE)
_GID = re.compile(r"gid://shopify/[A-Za-z]+/\d+")


def check_type(name: str) -> str:
    """Raises `ValueError` with the nearest type for one that Shopify does not know."""
    if name not in TYPES:
        hint = did_you_mean(name, sorted(TYPES))
        few = "single_line_text_field, number_integer, number_decimal, boolean, date, url or json"
        msg = f"{shortened(name)!r} is not a type of metafield; write one like {few}.{hint}"
        raise ValueError(msg)
    return name


def parse_metafield(kind: str, text: str) -> str:
    """`text` as Shopify keeps a value of that type. Raises `ValueError` with a sentence that says what to write."""
    if not text.strip():
        msg = "a metafield cannot be empty; write none to delete it"
        raise ValueError(msg)
    if kind.startswith("list."):
        return _list(kind.removeprefix("list."), text)
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(text)
    return _reference(kind, text) if kind in REFERENCES else text


def _list(inner: str, text: str) -> str:
    members = _json_of(text, list, f'["a", "b"] for a list of {inner}')
    if not members:
        msg = "a list cannot be empty; write none to delete the metafield"
        raise ValueError(msg)
    texts = [member if isinstance(member, str) else json.dumps(member, ensure_ascii=False) for member in members]
    values = [parse_metafield(inner, member) for member in texts]
    written = [json.loads(value) if inner in _AS_JSON else value for value in values]
    return json.dumps(written, ensure_ascii=False, separators=(",", ":"))


def _single_line(text: str) -> str:
    if "\n" in text or "\r" in text:
        msg = "a single_line_text_field has one line; leave the line break out"
        raise ValueError(msg)
    return text


def _whole(text: str) -> str:
    bare = text.strip()
    if not _WHOLE.fullmatch(bare) or abs(int(bare)) > _BIGGEST_WHOLE:
        msg = f"{shortened(text)!r} is not a number_integer; write digits only, like 25, up to {_BIGGEST_WHOLE:,}"
        raise ValueError(msg)
    return str(int(bare))


def _decimal(text: str) -> str:
    if not _DECIMAL.fullmatch(text.strip()):
        msg = (
            f"{shortened(text)!r} is not a number_decimal; write digits with a point, like 12.5, at most 13 before it "
            "and 9 after it"
        )
        raise ValueError(msg)
    return decimal_text(Decimal(text.strip()))


def _boolean(text: str) -> str:
    return "true" if parse_boolean(text) else "false"


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        msg = f"{shortened(text)!r} is not a date; write it like 2026-11-22"
        raise ValueError(msg) from None


def _date_time(text: str) -> str:
    """Without an offset it is UTC, as Shopify takes it."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        msg = f"{shortened(text)!r} is not a date_time; write it like 2026-11-22T10:30:00"
        raise ValueError(msg) from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="seconds")


def _url(text: str) -> str:
    if not _URL.fullmatch(text.strip()):
        msg = f"{shortened(text)!r} is not a url; begin with https://, http://, mailto:, sms: or tel:"
        raise ValueError(msg)
    return text.strip()


def _color(text: str) -> str:
    if not _COLOR.fullmatch(text.strip()):
        msg = f"{shortened(text)!r} is not a color; write it like #ff8800"
        raise ValueError(msg)
    return text.strip().lower()


def _reference(kind: str, text: str) -> str:
    if not _GID.fullmatch(text.strip()):
        msg = f"{shortened(text)!r} is not a {kind}; write Shopify's own id, like gid://shopify/Product/123"
        raise ValueError(msg)
    return text.strip()


def _json(text: str) -> str:
    try:
        json.loads(text, parse_constant=_no_constant)
    except ValueError:
        msg = (
            f'{shortened(text)!r} is not JSON; write it like {{"care": "wash cold"}}, texts and names in double quotes'
        )
        raise ValueError(msg) from None
    return text.strip()


def _no_constant(name: str) -> None:
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(name)


def _json_of(text: str, shape: type, like: str) -> Any:
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except ValueError:
        found = None
    if isinstance(found, shape):
        return found
    msg = f"{shortened(text)!r} cannot be used; write JSON like {like}"
    raise ValueError(msg)


def _object(kind: str, like: str) -> Callable[[str], str]:
    """A reader of a JSON object with the names that `like` has; a measure's unit must be one of Shopify's."""
    names = json.loads(like).keys()

    def read(text: str) -> str:
        found = _json_of(text, dict, like)
        if not names <= found.keys():
            msg = f"{shortened(text)!r} is not a {kind}; write JSON like {like}"
            raise ValueError(msg)
        units = MEASURES.get(kind)
        if units is not None and found["unit"] not in units:
            msg = f"{shortened(str(found['unit']))!r} is not a unit of a {kind}; write {join_or(units)}"
            raise ValueError(msg)
        return text.strip()

    return read


_LIKE = {
    "dimension": '{"value": 25.0, "unit": "cm"}',
    "link": '{"text": "Learn more", "url": "https://shopify.com"}',
    "money": '{"amount": "5.99", "currency_code": "USD"}',
    "rating": '{"value": "4.5", "scale_min": "1.0", "scale_max": "5.0"}',
    "rich_text_field": '{"type": "root", "children": []}',
    "volume": '{"value": 20.0, "unit": "ml"}',
    "weight": '{"value": 2.5, "unit": "kg"}',
}
_READERS: Mapping[str, Callable[[str], str]] = {
    "boolean": _boolean,
    "color": _color,
    "date": _date,
    "date_time": _date_time,
    "json": _json,
    "number_decimal": _decimal,
    "number_integer": _whole,
    "single_line_text_field": _single_line,
    "url": _url,
    **{kind: _object(kind, like) for kind, like in _LIKE.items()},
}
_AS_JSON = frozenset({"number_integer", *_LIKE})
"""Members of lists that stand there as JSON, not as texts."""
