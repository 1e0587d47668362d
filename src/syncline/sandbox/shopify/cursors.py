"""Cursors: base64 of `{"last_id":n,"last_value":"..."}`, as measured on live stores (August 2026)."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any

from syncline.sandbox.shopify.ordering import Key


def encode_cursor(key: Key) -> str:
    value, number = key
    shown = value.isoformat() if isinstance(value, datetime) else str(value)
    raw = json.dumps({"last_id": number, "last_value": shown}, separators=(",", ":"))
    return base64.b64encode(raw.encode()).decode()


def decode_cursor(text: str, like: Any) -> Key:
    """The key a cursor stands for; `like` is any value of the sort key, whose type the cursor's must have.

    Raises `ValueError` for a cursor that is damaged or of another sort key.
    """
    try:
        fields = json.loads(base64.b64decode(text, validate=True))
        number, shown = int(fields["last_id"]), fields["last_value"]
    except (binascii.Error, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(text) from error
    if isinstance(like, datetime):
        return datetime.fromisoformat(shown), number
    if isinstance(like, int):
        return int(shown), number
    return str(shown), number
