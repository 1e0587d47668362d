"""What statements took: counted by kind, forgotten after five minutes."""

from __future__ import annotations

import pytest

from syncline.kernel.tenant import TenantId
from syncline.runtime.db import timings
from syncline.runtime.db.engine import Database
from syncline.runtime.db.timings import Kind, Timings, kind_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_last_five_minutes_count() -> None:
    clock = Clock()
    timings = Timings(clock)
    for seconds, took in ((0.0, 0.010), (100.0, 0.020), (290.0, 0.300)):
        clock.now = seconds
        timings.note(Kind.SELECT, took)
    timings.note(Kind.BULK, 0.5, rows=1_000)
    found = timings.taken(Kind.SELECT)
    assert (found.count, found.slow) == (3, 1)
    assert found.average_ms == pytest.approx(110)
    assert timings.taken(Kind.BULK).rows == 1_000
    clock.now = 350.0
    assert timings.taken(Kind.SELECT).count == 2
    clock.now = 10_000.0
    assert timings.taken(Kind.SELECT).average_ms == 0.0


def test_however_many_there_are_the_room_is_the_same() -> None:
    clock = Clock()
    timings = Timings(clock)
    for number in range(5_000):
        clock.now = float(number)
        timings.note(Kind.INSERT, 0.001)
    assert timings.taken(Kind.INSERT).count == 300


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("SELECT name FROM x", Kind.SELECT),
        ("\n    select name", Kind.SELECT),
        ("INSERT INTO x", Kind.INSERT),
        ("UPDATE x", None),
        ("SELECT set_config('syncline.tenant', $1, true)", None),
        ("SELECT 1", None),
        (b"SELECT name", None),
    ],
)
def test_what_a_statement_is(query: object, kind: Kind | None) -> None:
    assert kind_of(query) is kind


async def test_statements_of_sessions_are_noted(
    shared_database: Database, tenant_id: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Timings()  # what the process noted five minutes ago is forgotten at any moment
    monkeypatch.setattr(timings, "TIMINGS", seen)
    async with shared_database.reading(tenant_id) as session:
        await (await session.driver()).execute("SELECT now()")
        await (await session.connection()).exec_driver_sql("SELECT now()")
    assert seen.taken(Kind.SELECT).count == 2
