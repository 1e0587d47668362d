"""Bulk load: every type to the bit, and what a merge counts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from syncline.kernel.tenant import TenantId
from syncline.runtime.db.copy import MergeCounts, copy_rows, create_staging, load_rows, merge_rows
from syncline.runtime.db.engine import Database
from syncline.runtime.db.timings import TimedCursor

KEY = ("tenant_id", "id")
NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


async def load(database: Database, tenant: TenantId, rows: list[tuple[object, ...]], **options: Any) -> MergeCounts:
    async with database.writing(tenant) as session:
        return await load_rows(session, "toy.thing", ("id", "name", "version"), rows, key=KEY, **options)


async def names(database: Database, tenant: TenantId) -> dict[int, str]:
    async with database.reading(tenant) as session:
        found = await session.execute(text("SELECT id, name FROM toy.thing ORDER BY id"))
        return {row.id: row.name for row in found}


async def test_every_type_arrives_as_it_was(toy_database: Database, tenant_id: TenantId) -> None:
    columns = ["id", "name", "price", "tags", "details", "raw", "seen", "code", "digest", "is_sold", "amount", "body"]
    awkward = "tab\t nl\n cr\r back\\slash \\N \"quoted\" 'x' {a,b} Größe שלום 👕"
    row = (
        -(2**63),
        awkward,
        Decimal("-12.340"),
        ["a,b", "", "NULL", '"q"', awkward],
        {"deep": [1, None, {"x": awkward}]},
        b'{"as": "it was",  "spaces":1}',
        NOON,
        UUID(int=5),
        bytes(range(256)),
        True,
        -5,
        "x" * 100_000,
    )
    empty = (1, *[None] * 11)
    async with toy_database.writing(tenant_id) as session:
        counts = await load_rows(session, "toy.thing", columns, [row, empty], key=KEY, differs=["name"])
    assert counts == MergeCounts(inserted=2, updated=0, kept=0, repeated=0)
    async with toy_database.reading(tenant_id) as session:
        query = text(f"SELECT {', '.join(columns).replace('raw', 'raw::text')} FROM toy.thing ORDER BY id")
        first, second = (await session.execute(query)).all()
    assert tuple(first) == (*row[:5], row[5].decode(), *row[6:])
    assert tuple(second) == empty


async def test_first_load_inserts(toy_database: Database, tenant_id: TenantId) -> None:
    counts = await load(toy_database, tenant_id, [(1, "a", 1), (2, "b", 1)])
    assert counts == MergeCounts(inserted=2, updated=0, kept=0, repeated=0)
    assert await names(toy_database, tenant_id) == {1: "a", 2: "b"}


async def test_second_load_touches_only_what_differs(toy_database: Database, tenant_id: TenantId) -> None:
    await load(toy_database, tenant_id, [(1, "a", 1), (2, "b", 1)])
    counts = await load(toy_database, tenant_id, [(1, "a", 1), (2, "B", 1), (3, "c", 1)])
    assert counts == MergeCounts(inserted=1, updated=1, kept=1, repeated=0)
    assert await names(toy_database, tenant_id) == {1: "a", 2: "B", 3: "c"}


async def test_only_the_named_columns_decide_whether_a_row_differs(toy_database: Database, tenant_id: TenantId) -> None:
    await load(toy_database, tenant_id, [(1, "a", 1), (2, "b", 1)])
    counts = await load(toy_database, tenant_id, [(1, "other", 1), (2, "new", 2)], differs=["version"])
    assert counts == MergeCounts(inserted=0, updated=1, kept=1, repeated=0)
    assert await names(toy_database, tenant_id) == {1: "a", 2: "new"}


async def test_null_counts_as_a_value(toy_database: Database, tenant_id: TenantId) -> None:
    await load(toy_database, tenant_id, [(1, None, 1), (2, "b", 1), (3, None, 1)])
    counts = await load(toy_database, tenant_id, [(1, "a", 1), (2, None, 1), (3, None, 1)])
    assert counts == MergeCounts(inserted=0, updated=2, kept=1, repeated=0)


async def test_older_fact_never_overwrites_a_newer_one(toy_database: Database, tenant_id: TenantId) -> None:
    await load(toy_database, tenant_id, [(1, "new", 5), (2, "same age", 5), (3, "unknown age", None)])
    rows: list[tuple[object, ...]] = [(1, "old", 4), (2, "corrected", 5), (3, "known", 1), (4, "first", 0)]
    counts = await load(toy_database, tenant_id, rows, newer="version")
    assert counts == MergeCounts(inserted=1, updated=2, kept=1, repeated=0)
    assert await names(toy_database, tenant_id) == {1: "new", 2: "corrected", 3: "known", 4: "first"}


async def test_of_rows_with_one_key_the_last_wins(toy_database: Database, tenant_id: TenantId) -> None:
    rows: list[tuple[object, ...]] = [(1, "a", 1), (2, "x", 1), (1, "b", 1), (1, "c", 1)]
    assert await load(toy_database, tenant_id, rows) == MergeCounts(inserted=2, updated=0, kept=0, repeated=2)
    assert await names(toy_database, tenant_id) == {1: "c", 2: "x"}


async def test_other_tenants_rows_of_the_same_key_stay(
    toy_database: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    await load(toy_database, tenant_id, [(1, "mine", 1)])
    counts = await load(toy_database, other_tenant_id, [(1, "theirs", 9)])
    assert counts.inserted == 1
    assert await names(toy_database, tenant_id) == {1: "mine"}


async def test_fixed_values_are_the_same_in_every_row(toy_database: Database, tenant_id: TenantId) -> None:
    async with toy_database.writing(tenant_id) as session:
        rows = [(number,) for number in range(3)]
        await load_rows(session, "toy.thing", ["id"], rows, key=KEY, fixed={"seen": NOON, "name": "o'clock %s"})
        query = text("SELECT DISTINCT seen, name FROM toy.thing")
        assert (await session.execute(query)).all() == [(NOON, "o'clock %s")]


async def test_load_without_rows_counts_nothing(toy_database: Database, tenant_id: TenantId) -> None:
    assert (await load(toy_database, tenant_id, [])).staged == 0


async def test_two_loads_in_one_transaction(toy_database: Database, tenant_id: TenantId) -> None:
    async with toy_database.writing(tenant_id) as session:
        await load_rows(session, "toy.thing", ["id"], [(1,)], key=KEY)
        counts = await load_rows(session, "toy.thing", ["id"], [(1,), (2,)], key=KEY)
    assert counts == MergeCounts(inserted=1, updated=0, kept=1, repeated=0)


async def test_load_that_fails_leaves_nothing(toy_database: Database, tenant_id: TenantId) -> None:
    with pytest.raises(psycopg.DataError):
        await load(toy_database, tenant_id, [(1, "good", 1), (2, "nul \x00 byte", 1)])
    assert await names(toy_database, tenant_id) == {}


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
async def test_number_out_of_range_is_refused_as_data(toy_database: Database, tenant_id: TenantId, number: int) -> None:
    with pytest.raises(psycopg.DataError):
        await load(toy_database, tenant_id, [(1, "good", 1), (number, "far", 1)])
    assert await names(toy_database, tenant_id) == {}


async def test_value_of_the_wrong_type_fails_and_the_connection_lives(
    toy_database: Database, tenant_id: TenantId
) -> None:
    with pytest.raises((psycopg.Error, TypeError)):
        await load(toy_database, tenant_id, [("seven", "a", 1)])
    assert (await load(toy_database, tenant_id, [(7, "a", 1)])).inserted == 1


async def test_staged_rows_can_be_looked_at_before_the_merge(toy_database: Database, tenant_id: TenantId) -> None:
    async with toy_database.writing(tenant_id) as session:
        staged = await create_staging(session, "toy.thing", ["id", "name"], name="incoming")
        assert await copy_rows(session, staged, ["id", "name"], [(1, "a"), (2, "b")]) == 2
        await session.execute(text("DELETE FROM incoming WHERE id = 2"))
        counts = await merge_rows(session, staged=staged, target="toy.thing", columns=["id", "name"], key=KEY)
    assert counts.inserted == 1
    async with toy_database.system() as session:
        assert await session.scalar(text("SELECT to_regclass('incoming')")) is None


async def test_many_rows_take_no_more_statements_than_one(
    toy_database: Database, tenant_id: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    really = TimedCursor.execute

    async def seen(cursor: TimedCursor, query: Any, *rest: Any, **options: Any) -> TimedCursor:
        asked.append(query)
        return await really(cursor, query, *rest, **options)

    async def statements(numbers: range) -> int:
        rows = [(n, f"thing {n}", Decimal("9.99"), ["a"], {"n": n}, NOON, "text " * 300) for n in numbers]
        columns = ("id", "name", "price", "tags", "details", "seen", "body")
        asked.clear()
        async with toy_database.writing(tenant_id) as session:
            counts = await load_rows(session, "toy.thing", columns, rows, key=KEY)
        assert counts.inserted == len(rows)
        return len(asked)

    monkeypatch.setattr(TimedCursor, "execute", seen)
    assert await statements(range(1)) == await statements(range(1, 5_001)) > 0
