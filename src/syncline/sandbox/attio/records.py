"""Records by object, with the index of what is unique, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

Values = dict[str, list[dict[str, Any]]]

_SCHEMA = """
create table record (number integer primary key, id text not null unique, object text not null, created text not null,
  vals blob not null);
create index record_object on record (object, number);
create table unique_value (object text not null, attribute text not null, value text not null, id text not null,
  primary key (object, attribute, value));
create index unique_value_id on unique_value (id);
"""


@dataclass(frozen=True, slots=True)
class Record:
    id: str
    object: str
    created: str
    values: Values


class Records:
    """`path` None keeps them in a temporary file that goes with the process."""

    def __init__(self, path: Path | None = None) -> None:
        self._db = sqlite3.connect(path or "", isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode = memory")
        self._db.execute("pragma synchronous = off")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def get(self, object_: str, identity: str) -> Record | None:
        row = self._db.execute("select * from record where object = ? and id = ?", (object_, identity)).fetchone()
        return None if row is None else _record(row)

    def having(self, object_: str, attribute: str, values: Sequence[str]) -> list[str]:
        """Ids of records that have one of these values of a unique attribute."""
        marks = ", ".join("?" * len(values))
        rows = self._db.execute(
            f"select distinct id from unique_value where object = ? and attribute = ? and value in ({marks})",
            (object_, attribute, *values),
        )
        return [row[0] for row in rows]

    def create(self, object_: str, values: Values, unique: Sequence[tuple[str, str]], created: str) -> Record:
        record = Record(str(uuid4()), object_, created, values)
        self._db.execute(
            "insert into record (id, object, created, vals) values (?, ?, ?, ?)",
            (record.id, object_, created, msgspec.json.encode(values)),
        )
        self._index(record, unique)
        return record

    def update(self, record: Record, values: Values, unique: Sequence[tuple[str, str]]) -> Record:
        changed = Record(record.id, record.object, record.created, values)
        self._db.execute("update record set vals = ? where id = ?", (msgspec.json.encode(values), record.id))
        self._db.execute("delete from unique_value where id = ?", (record.id,))
        self._index(changed, unique)
        return changed

    def delete(self, record: Record) -> None:
        self._db.execute("delete from record where id = ?", (record.id,))
        self._db.execute("delete from unique_value where id = ?", (record.id,))

    def list(self, object_: str, *, offset: int = 0, limit: int = -1) -> list[Record]:
        """In the order they were made."""
        rows = self._db.execute(
            "select * from record where object = ? order by number limit ? offset ?", (object_, limit, offset)
        )
        return [_record(row) for row in rows]

    def count(self, object_: str) -> int:
        return int(self._db.execute("select count(*) from record where object = ?", (object_,)).fetchone()[0])

    def _index(self, record: Record, unique: Sequence[tuple[str, str]]) -> None:
        self._db.executemany(
            "insert into unique_value values (?, ?, ?, ?)",
            [(record.object, attribute, value, record.id) for attribute, value in unique],
        )


def _record(row: tuple[Any, ...]) -> Record:
    return Record(row[1], row[2], row[3], msgspec.json.decode(row[4]))
