"""What a kind of record is: where it lies, what its key is, what it consists of and what it hangs on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, LiteralString, TypeAlias

import msgspec
import xxhash
from sqlalchemy import Table

Content = tuple[Any, ...]

_pack = msgspec.msgpack.Encoder(decimal_format="string").encode


KeyFrom: TypeAlias = Literal["own", "parent_own", "item_parent"]
"""Which numbers of a line make its key: its own; its parent's and its own; its item's and its parent's."""


Blank: TypeAlias = Literal["null", "no texts", "no items", "nought"]
"""What stands in a column when it is emptied of a person."""

Personal = tuple[tuple[str, Blank], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A list inside a record's own line, kept in a table of its own and replaced whenever its record is written.
    `columns` begin with the record's key and the part's own id; `rows` gives them of a decoded record."""

    name: str
    table: Table
    columns: tuple[str, ...]
    rows: Callable[[Any], Iterable[Content]]
    personal: Personal = ()
    """Columns that hold something of a person."""

    is_personal: bool = False
    """The whole list is somebody's: it goes when its record is emptied of him."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The record that a child hangs on: gone with it, and read whole with it. `seen_as` is the kind of line a run sees
    it by, when that is another than its own; `matches` is the parent's column that `column` holds; `only` limits it to
    some of the children, which the SQL calls `m`."""

    kind: str
    column: str
    matches: str = "id"
    seen_as: str | None = None
    only: LiteralString | None = None
    counted_in: str | None = None
    """The column in which the parent says how many children it has."""


@dataclass(frozen=True, slots=True)
class Link:
    """A column that names a record of another stream. Shopify empties it when that record is deleted, without a new
    time on the record that holds it."""

    column: str
    kind: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record. `columns` are what `content` gives, in its order, key columns first."""

    name: str
    stream: str
    table: Table
    key: tuple[str, ...]
    columns: tuple[str, ...]
    content: Callable[[Any], Content]
    version: Callable[[Any], datetime | None]
    key_from: KeyFrom = "own"
    parts: tuple[Part, ...] = ()
    parents: tuple[Parent, ...] = ()
    links: tuple[Link, ...] = ()
    personal: Personal = ()
    """Columns that hold something of a person, and what is left of them when he is erased."""

    whose: tuple[str, str, str] | None = None
    """Whose record it is: the column with his number, his kind, and the column with the time it was made. When he was
    erased after that, it is emptied of him too, also if it was not there yet."""

    is_placed: bool = False
    """Whether the order of its lines says where it stands among those of its parent, the first half of its key: kept as
    `position`, beside what is in the lines."""

    root: LiteralString = "m.id"
    """SQL over the row `m`: the number of the record at the root of its stream that it is read with."""

    @property
    def relation(self) -> str:
        return f"commerce.{self.table.name}"


def content_hash(content: Content) -> int:
    """64 bits over all that is kept of a record, signed as PostgreSQL's bigint is. Amounts count by their value: a shop
    answers 2.0 where 2 was written."""
    plain = [value.normalize() if type(value) is Decimal else value for value in content]
    return signed64(xxhash.xxh3_64_intdigest(_pack(plain)))


def compared_hash(kind: Kind, content: Content, position: int | None) -> int:
    """What a reconciliation compares: the content and, of a kind that is placed, its place."""
    return content_hash((*content, position) if kind.is_placed else content)


def signed64(unsigned: int) -> int:
    return unsigned - (1 << 64) if unsigned >= 1 << 63 else unsigned


sorted_json = msgspec.json.Encoder(order="sorted").encode


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def unversioned(_: object) -> datetime | None:
    """Of a record that Shopify gives no time of its own."""
    return None


def updated_at(node: Any) -> datetime | None:
    return moment(node.updatedAt)
