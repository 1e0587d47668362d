"""Every record ever ingested, in SQLite, so that a million of them can be kept and counted in little memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

DAY_MS = 86_400_000
PAGE = 2_000

_SCHEMA = """
create table record (
  id integer primary key,
  event text not null,
  distinct_id text not null,
  time_ms integer not null,
  insert_id text not null,
  day integer not null,
  received_ms integer not null,
  properties blob not null
);
create index record_day on record (day);
create table profile (kind text not null, id text not null, properties blob not null, primary key (kind, id));
"""
# The key of event-deduplication.mdx: what is identical in all four is one event in reports.
_TUPLE = "event, distinct_id, time_ms, insert_id"
# Compaction compares the same without the time, within one calendar day.
_COMPACTED = "event, distinct_id, day, insert_id"


@dataclass(frozen=True, slots=True)
class Record:
    event: str
    distinct_id: str
    time_ms: int
    insert_id: str
    properties: bytes
    """JSON of the properties as they were sent, without time."""


class Records:
    """`path` None keeps them in a temporary file that goes with the process."""

    def __init__(self, path: Path | None = None) -> None:
        self._db = sqlite3.connect("" if path is None else path, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode = memory")
        self._db.execute("pragma synchronous = off")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def add(self, records: Iterable[Record], received_ms: int) -> None:
        self._db.execute("begin")
        self._db.executemany(
            "insert into record (event, distinct_id, time_ms, insert_id, day, received_ms, properties)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (
                (r.event, r.distinct_id, r.time_ms, r.insert_id, r.time_ms // DAY_MS, received_ms, r.properties)
                for r in records
            ),
        )
        self._db.execute("commit")

    def counts(self) -> dict[str, int]:
        """`raw` is what was ingested, `distinct` how many 4-tuples there are among it, `compacted` what would be left
        when compaction has run over every day."""
        return {
            "raw": self._one("select count(*) from record"),
            "distinct": self._one(f"select count(*) from (select distinct {_TUPLE} from record)"),
            "compacted": self._one(f"select count(*) from (select distinct {_COMPACTED} from record)"),
        }

    def counts_by(self, what: str) -> dict[str, dict[str, int]]:
        """The same by `event` or `day`: {name: {"raw", "distinct"}}."""
        column = {"event": "event", "day": "day"}[what]
        raw = self._db.execute(f"select {column}, count(*) from record group by 1")
        distinct = dict(
            self._db.execute(f"select {column}, count(*) from (select distinct {_TUPLE}, day from record) group by 1")
        )
        return {_shown(what, one): {"raw": count, "distinct": distinct[one]} for one, count in raw}

    def export(
        self, first: date, last: date, *, events: Sequence[str] = (), limit: int | None = None, until_ms: int
    ) -> Iterator[tuple[str, int, str, str, int, bytes]]:
        """(event, time_ms, distinct_id, insert_id, received_ms, properties) of all records of these days received
        until then, in the order they came, read page by page."""
        chosen = f" and event in ({', '.join('?' * len(events))})" if events else ""
        after, left = 0, limit
        while left is None or left > 0:
            rows = self._db.execute(
                "select id, event, time_ms, distinct_id, insert_id, received_ms, properties from record"
                f" where id > ? and day between ? and ? and received_ms <= ?{chosen} order by id limit ?",
                (after, _day(first), _day(last), until_ms, *events, min(PAGE, left or PAGE)),
            ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            left = None if left is None else left - len(rows)
            for row in rows:
                yield row[1:]

    def deduplicated(self, first: date, last: date) -> Iterator[tuple[str, int, str, str, int, bytes]]:
        """As reports see it: of equal 4-tuples the one ingested last."""
        return iter(
            self._db.execute(
                "select event, time_ms, distinct_id, insert_id, received_ms, properties from record"
                f" where id in (select max(id) from record where day between ? and ? group by {_TUPLE}) order by id",
                (_day(first), _day(last)),
            )
        )

    def profile(self, kind: str, identity: str) -> bytes | None:
        row = self._db.execute("select properties from profile where kind = ? and id = ?", (kind, identity)).fetchone()
        return None if row is None else row[0]

    def set_profile(self, kind: str, identity: str, properties: bytes | None) -> None:
        """None removes it."""
        if properties is None:
            self._db.execute("delete from profile where kind = ? and id = ?", (kind, identity))
            return
        self._db.execute("insert or replace into profile values (?, ?, ?)", (kind, identity, properties))

    def profiles(self, kind: str) -> Iterator[tuple[str, bytes]]:
        return iter(self._db.execute("select id, properties from profile where kind = ? order by id", (kind,)))

    def forget(self) -> None:
        self._db.executescript("delete from record; delete from profile;")

    def _one(self, query: str) -> int:
        found: tuple[Any, ...] = self._db.execute(query).fetchone()
        return int(found[0])


def _day(day: date) -> int:
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _shown(what: str, value: Any) -> str:
    return datetime.fromtimestamp(value * 86_400, UTC).date().isoformat() if what == "day" else str(value)
