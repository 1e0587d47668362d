"""The keys of raw lines, read without decoding the rest of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from syncline.apps.commerce.mirror.kind import KeyFrom
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.connectors.shopify import ids
from syncline.connectors.shopify.records import KINDS_BY_TYPE, MARKERS, kind_of
from syncline.kernel.errors import Skippable

Key = tuple[int, ...]
Digits: TypeAlias = bytes | tuple[bytes, bytes]
"""A key as it stands in the line: one number, or two. Most keys of a pull are only handed on to the database."""


class _Ref(msgspec.Struct, frozen=True, gc=False):
    id: str


class _KeyParts(msgspec.Struct, frozen=True, gc=False):
    id: str
    item: _Ref | None = None
    parent_id: str | None = msgspec.field(name="__parentId", default=None)


_decode = msgspec.json.Decoder(_KeyParts).decode

_NUMBER = rb"(0|[1-9][0-9]{0,17})"
_QUERY = rb'(?:\?[^"\\]*)?'
# What our queries ask for first, and Shopify keeps the order. Both patterns stand where nothing but a member of the
# record itself can stand, at its first brace and at its last, so that no text inside can be taken for a key.
_BEGIN = re.compile(
    rb'\{"id":"gid://shopify/([A-Za-z0-9]+)/' + _NUMBER + _QUERY + rb'"'
    rb'(?:(?:,"updatedAt":"[^"\\]*")?,"item":\{"id":"gid://shopify/InventoryItem/' + _NUMBER + rb'"\})?'
)
_PARENT = b'"__parentId":"gid://shopify/'
_END = re.compile(_PARENT + rb"[A-Za-z0-9]+/" + _NUMBER + _QUERY + rb'"\}')
_NUL_TEXT = rb"\u0000"
# An escaped NUL, and not an escaped backslash before "u0000".
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def _start(line: bytes) -> str:
    return line[:120].decode("utf-8", "replace")


def refuse_nul(line: bytes) -> None:
    """Raises `Skippable` for a line that a database cannot hold."""
    # The plain search is 50 times as fast as the pattern, and almost no line gets past it.
    if _NUL_TEXT in line and _NUL.search(line):
        raise Skippable("A record holds a NUL character, which no text of the database can.", detail=_start(line))


def key_of(line: bytes, key_from: KeyFrom) -> Key:
    """The numbers that name a line's record. A stock level's are its item's and its location's, for Shopify gives a
    level a new id when it is activated again. Raises `Skippable` for a line that has none, and for one that a database
    cannot hold."""
    refuse_nul(line)
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


def key_from_of(kind: str) -> KeyFrom:
    """Of a marker nothing is kept; that it was seen is known by its own number."""
    return "own" if kind in MARKERS else KINDS[kind].key_from


@dataclass(slots=True)
class Chunk:
    """Some lines of a stream, by kind and key. A key named twice keeps the later line: a file that repeats itself is
    not wrong, and the merge's version check has the last word."""

    read: int = 0
    duplicates: int = 0
    unreadable: list[str] = field(default_factory=list)
    groups: dict[str, dict[Digits, bytes]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    """The keys of each kind, as `array_texts` gives them."""

    def keys(self) -> dict[str, frozenset[Digits]]:
        return {kind: frozenset(group) for kind, group in self.groups.items()}

    def names_any(self, keys: Mapping[str, frozenset[Digits]]) -> bool:
        return any(not keys[kind].isdisjoint(group) for kind, group in self.groups.items() if kind in keys)


def sort_lines(lines: Iterable[bytes], stream: str) -> Chunk:
    """The lines by kind and key; those without either are quoted in `unreadable`."""
    chunk = Chunk()
    kinds = KINDS_BY_TYPE[stream]
    groups: dict[bytes, tuple[KeyFrom, dict[Digits, bytes]]] = {
        type_: (key_from_of(kind), chunk.groups.setdefault(kind, {})) for type_, kind in kinds.items()
    }
    for line in lines:
        chunk.read += 1
        found = _BEGIN.match(line)
        type_, number, item = found.groups() if found is not None else (None, b"", None)
        if type_ not in groups:
            _sort_slowly(line, stream, chunk)
            continue
        how, group = groups[type_]
        if how == "own":
            group[number] = line
            continue
        parent = _END.fullmatch(line, max(0, line.rfind(_PARENT)))
        first = number if how == "parent_own" else item
        if parent is None or first is None:
            _sort_slowly(line, stream, chunk)
        elif how == "item_parent":
            group[first, parent[1]] = line
        else:
            group[parent[1], first] = line
    chunk.groups = {kind: group for kind, group in chunk.groups.items() if group}
    chunk.texts = {kind: _texts(group) for kind, group in chunk.groups.items()}
    chunk.duplicates = chunk.read - len(chunk.unreadable) - sum(map(len, chunk.groups.values()))
    return chunk


def _sort_slowly(line: bytes, stream: str, chunk: Chunk) -> None:
    """A line that does not look as ours do is read as JSON, never guessed at."""
    try:
        kind = kind_of(line, stream)
        numbers = [b"%d" % number for number in key_of(line, key_from_of(kind))]
    except Skippable as error:
        chunk.unreadable.append(str(error))
        return
    key: Digits = numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
    chunk.groups[kind][key] = line


def array_texts(keys: Sequence[Key]) -> list[str]:
    """Keys as PostgreSQL array texts, one per column of the key. psycopg writes a list of numbers one by one, which
    for a chunk takes as long as all the rest of its look-up."""
    return ["{" + ",".join(map(str, column)) + "}" for column in zip(*keys, strict=True)]


def keys_of_texts(texts: Sequence[str]) -> list[Key]:
    """The other way round."""
    columns = [map(int, text[1:-1].split(",")) for text in texts]
    return list(zip(*columns, strict=True))


def _texts(keys: Collection[Digits]) -> list[str]:
    columns: Iterable[Iterable[Any]] = [keys] if isinstance(next(iter(keys)), bytes) else zip(*keys, strict=True)
    return ["{" + b",".join(column).decode() + "}" for column in columns]
