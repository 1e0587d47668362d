"""The limit of the database: the rows that a sync stored, written again by bare COPY into tables like theirs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg

AT_ONCE: Final = 1_000
"""Events in a transaction, as a step of the sync has."""

_RECEIPT: Final = "tenant_id, event_key, namespace, event, distinct_id, at_ms, insert_id"
_READ: Final[dict[str, LiteralString]] = {
    "event_source": "COPY outreach.event_source TO STDOUT",
    # As they are when an event is stored: waiting for Mixpanel.
    "receipt": f"COPY (SELECT {_RECEIPT}, 'waiting' FROM outreach.receipt) TO STDOUT",
    "person": "COPY outreach.person TO STDOUT",
}
_WRITE: Final[dict[str, LiteralString]] = {
    "event_source": "COPY bare.event_source FROM STDIN",
    "receipt": f"COPY bare.receipt ({_RECEIPT}, state) FROM STDIN",
    "person": "COPY bare.person FROM STDIN",
}


@dataclass(frozen=True, slots=True)
class Bare:
    events: int
    seconds: float


def bare_copy(url: str) -> Bare:
    """Events, their receipts and people, with the same indexes, a thousand events a transaction. What is read is read
    outside the time. Tables come full of rows and stay so; `bare` is a schema of its own."""
    with ExitStack() as stack:
        writing = stack.enter_context(psycopg.connect(url))
        with writing.transaction():
            writing.execute("DROP SCHEMA IF EXISTS bare CASCADE")
            writing.execute("CREATE SCHEMA bare")
            for table in ("event_source", "receipt", "person"):
                writing.execute(f"CREATE TABLE bare.{table} (LIKE outreach.{table} INCLUDING ALL)")
        sources = {name: _pieces(stack.enter_context(psycopg.connect(url)), query) for name, query in _READ.items()}
        events, seconds = 0, 0.0
        while pieces := {name: found for name, source in sources.items() if (found := next(source, None))}:
            began = time.perf_counter()
            with writing.transaction(), writing.cursor() as cursor:
                for name, rows in pieces.items():
                    with cursor.copy(_WRITE[name]) as copy:
                        copy.write(b"".join(rows))
            seconds += time.perf_counter() - began
            events += len(pieces.get("event_source", ()))
        return Bare(events, seconds)


def _pieces(connection: psycopg.Connection, query: LiteralString) -> Iterator[list[bytes]]:
    rows = list[bytes]()
    with connection.cursor().copy(query) as copy:
        for row in copy:
            rows.append(bytes(row))
            if len(rows) == AT_ONCE:
                yield rows
                rows = []
    if rows:
        yield rows
