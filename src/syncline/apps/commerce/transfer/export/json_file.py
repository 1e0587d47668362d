"""JSON Lines, or one JSON array, one object at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

import msgspec

_encode = msgspec.json.Encoder(decimal_format="string").encode


class JsonWriter:
    """With `is_array`, brackets around the objects and commas between them."""

    def __init__(self, file: BinaryIO, *, is_array: bool) -> None:
        self._file = file
        self._between = b",\n" if is_array else b"\n"
        self._before = b""
        self._after = b"\n]\n" if is_array else b"\n"
        if is_array:
            file.write(b"[\n")

    def write(self, objects: Iterable[dict[str, Any]]) -> int:
        parts = [_encode(one) for one in objects]
        if parts:
            self._file.write(self._before + self._between.join(parts))
            self._before = self._between
        return len(parts)

    def close(self) -> None:
        self._file.write(self._after)
