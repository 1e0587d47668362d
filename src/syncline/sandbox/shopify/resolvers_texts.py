"""HTML as the plain text that `description` fields give."""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"<[^>]*>")
_BLANK = re.compile(r"\s+")


def plain_text(markup: str, length: int | None) -> str:
    """At most `length` characters, an ellipsis of three points among them."""
    text = _BLANK.sub(" ", html.unescape(_TAG.sub(" ", markup))).strip()
    return text if length is None or len(text) <= length else text[: max(0, length - 3)] + "..."
