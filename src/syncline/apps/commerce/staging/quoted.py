"""Quotes and lists in edits: `"a, b",c` is two parts, `\\"` and `\\\\` in quotes are the character itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_UNCLOSED = 'a quote is opened and not closed; add "'


@dataclass(frozen=True, slots=True)
class Part:
    """One member of a list; `is_quoted` when it began with a quote, so that signs in it are part of the text."""

    text: str
    is_quoted: bool


def unquoted(text: str) -> str:
    """`text` without one pair of double quotes around it. Raises `ValueError` when the opening quote is not closed."""
    found = _QUOTED.fullmatch(text)
    if found is not None:
        return _ESCAPE.sub(r"\1", found[1])
    if text.count('"') == 1 and text.startswith('"'):
        raise ValueError(_UNCLOSED)
    return text


def split_list(text: str) -> list[Part]:
    """The comma-separated parts, trimmed unless quoted. Raises `ValueError` when a quote is not closed."""
    parts: list[Part] = []
    buffer: list[str] = []
    in_quotes = was_quoted = False
    characters = iter(text)
    for character in characters:
        if in_quotes and character == "\\":
            buffer.append(next(characters, "\\"))
        elif character == '"' and (in_quotes or not "".join(buffer).strip()):
            buffer = buffer if in_quotes else []
            in_quotes, was_quoted = not in_quotes, True
        elif character == "," and not in_quotes:
            parts.append(_part(buffer, was_quoted=was_quoted))
            buffer, was_quoted = [], False
        else:
            buffer.append(character)
    if in_quotes:
        raise ValueError(_UNCLOSED)
    return [*parts, _part(buffer, was_quoted=was_quoted)]


def _part(buffer: list[str], *, was_quoted: bool) -> Part:
    text = "".join(buffer)
    return Part(text if was_quoted else text.strip(), is_quoted=was_quoted)
