"""The key of a raw line, read without decoding the rest of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from syncline.connectors.shopify import ids
from syncline.kernel.errors import Skippable

Key = tuple[int, ...]


class _Ref(msgspec.Struct, frozen=True, gc=False):
    id: str


class _KeyParts(msgspec.Struct, frozen=True, gc=False):
    id: str
    item: _Ref | None = None
    parent_id: str | None = msgspec.field(name="__parentId", default=None)


_decode = msgspec.json.Decoder(_KeyParts).decode
# An escaped NUL, and not an escaped backslash before "u0000".
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def _start(line: bytes) -> str:
    return line[:120].decode("utf-8", "replace")


def key_of(line: bytes, kind: str) -> Key:
    """A level's key is its item and its location, for Shopify gives a level a new id when it is activated again; every
    other record's is its own number. Raises `Skippable` for a line that has none, and for one that a
    database cannot hold."""
    if _NUL.search(line):
        raise Skippable("A record holds a NUL character, which no text of the database can.", detail=_start(line))
    try:
        parts = _decode(line)
        if kind != "inventory_level":
            return (ids.number_of(parts.id),)
        if parts.item is None or parts.parent_id is None:
            raise Skippable("A stock level came without its item or its location.", detail=_start(line))
        return (ids.number_of(parts.item.id), ids.number_of(parts.parent_id))
    except (msgspec.DecodeError, ValueError) as error:
        detail = f"{error}: {_start(line)}"
        raise Skippable("A record came without an id that can be read.", detail=detail) from error


def array_texts(keys: Sequence[Key]) -> list[str]:
    """Keys as PostgreSQL array texts, one per column of the key. psycopg writes a list of numbers one by one, which
    for a chunk takes as long as all the rest of its look-up."""
    return ["{" + ",".join(map(str, column)) + "}" for column in zip(*keys, strict=True)]
