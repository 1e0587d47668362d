"""Objects of a JSON array, or of JSON Lines, one at a time."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from syncline.apps.commerce.transfer.sheet import SheetUnreadable, unreadable

LARGEST_OBJECT = 64 << 20
"""Characters of one product: 2,048 variants at their largest and a description of 512 KiB are a tenth of it."""

_CHUNK = 1 << 18


def _refuse_constant(word: str) -> Any:
    msg = f"{word} is no JSON number"
    raise ValueError(msg)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)


def read_lines(file: BinaryIO) -> Iterator[tuple[int, Any]]:
    """Each line that is not blank, with its number. Raises `SheetUnreadable` at the first that is not JSON."""
    number = 0
    while line := file.readline(LARGEST_OBJECT):
        number += 1
        text = _decoded(line.removeprefix(codecs.BOM_UTF8) if number == 1 else line, number)
        if text.strip():
            yield number, _parsed(text, number)


def _decoded(line: bytes, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        reason = f"Byte {error.start + 1:,} of the line is not UTF-8 text; JSON is always written in UTF-8."
        raise unreadable(reason, row=number) from error


def _parsed(text: str, number: int) -> Any:
    try:
        value, end = _DECODER.raw_decode(text.strip())
    except (ValueError, RecursionError) as error:
        advice = "Write one object on each line, or all of them in [ ] with commas between"
        raise unreadable(f"The line is not one JSON object ({_why(error)}). {advice}.", row=number) from error
    rest = text.strip()[end:].strip()
    if rest:
        raise unreadable("There is more on the line after the object; write one object on each line.", row=number)
    return value


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]} at character {error.colno}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


class _Text:
    """The text of a file that is read as far as it is needed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text = ""
        self.at = 0
        self.ended = False

    def more(self) -> None:
        """At least twice of what is not used yet, so that a long object is not tried for ever."""
        chunk = self._file.read(max(_CHUNK, len(self.text) - self.at))
        self.ended = not chunk
        try:
            read = self._decoder.decode(chunk, final=self.ended)
        except UnicodeDecodeError as error:
            raise unreadable("The file is not UTF-8 text; JSON is always written in UTF-8.") from error
        self.text, self.at = self.text[self.at :] + read, 0

    def next_sign(self) -> str:
        """The next character that is not blank, which stays; empty at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
                self.at += 1
            if self.at < len(self.text) or self.ended:
                return self.text[self.at : self.at + 1]
            self.more()


def read_array(file: BinaryIO) -> Iterator[tuple[int, Any]]:
    """Each element of the array, counted from 1. Raises `SheetUnreadable` where the array is broken."""
    text = _Text(file)
    text.next_sign()
    text.at += 1
    number = 0
    while text.next_sign() != "]":
        number += 1
        yield number, _element(text, number)
        sign = text.next_sign()
        if sign not in {",", "]"}:
            found = f"found {sign!r}" if sign else "the file ends"
            raise unreadable(f"After object {number:,} a comma or ] was expected, but {found}.", row=number)
        text.at += sign == ","
    text.at += 1
    if text.next_sign():
        raise unreadable("There is more in the file after the array ends; it is damaged.", row=number or None)


def _element(text: _Text, number: int) -> Any:
    while True:
        try:
            value, end = _DECODER.raw_decode(text.text, text.at)
        except (ValueError, RecursionError) as error:
            if text.ended or len(text.text) - text.at > LARGEST_OBJECT or isinstance(error, RecursionError):
                raise _broken(number, error) from error
            text.more()
            continue
        # A number at the end of what was read may go on.
        if end < len(text.text) or text.ended:
            text.at = end
            return value
        text.more()


def _broken(number: int, error: Exception) -> SheetUnreadable:
    return unreadable(f"Object {number:,} is not JSON ({_why(error)}).", row=number)
