"""The key of a raw line, read without decoding the rest of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from syncline.apps.commerce.mirror.kind import KeyFrom
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


def key_of(line: bytes, key_from: KeyFrom) -> Key:
    """The numbers that name a line's record. A stock level's are its item's and its location's, for Shopify gives a
    level a new id when it is activated again. Raises `Skippable` for a line that has none, and for one that a database
    cannot hold."""
    if _NUL.search(line):
        raise Skippable("A record holds a NUL character, which no text of the database can.", detail=_start(line))
    try:
        parts = _decode(line)
        if key_from == "own":
            return (ids.number_of(parts.id),)
        if parts.parent_id is None or (key_from == "item_parent" and parts.item is None):
            raise Skippable("A record came without what it belongs to.", detail=_start(line))
        parent = ids.number_of(parts.parent_id)
        if parts.item is not None and key_from == "item_parent":
            return (ids.number_of(parts.item.id), parent)
        return (parent, ids.number_of(parts.id))
    except (msgspec.DecodeError, ValueError) as error:
        detail = f"{error}: {_start(line)}"
        raise Skippable("A record came without an id that can be read.", detail=detail) from error


def parent_of(line: bytes) -> int | None:
    """The number of the record that a line hangs on."""
    parent = _decode(line).parent_id
    return None if parent is None else ids.number_of(parent)


def array_texts(keys: Sequence[Key]) -> list[str]:
    """Keys as PostgreSQL array texts, one per column of the key. psycopg writes a list of numbers one by one, which
    for a chunk takes as long as all the rest of its look-up."""
    return ["{" + ",".join(map(str, column)) + "}" for column in zip(*keys, strict=True)]
