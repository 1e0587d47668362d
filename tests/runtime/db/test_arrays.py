"""Array literals: every element arrives as it was, and in its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.runtime.db.arrays import bytes_array, moment_array, number_array, text_array
from syncline.runtime.db.engine import Database

AWKWARD = ["", "NULL", "null", "{a,b}", '"q"', "\\", '\\"', "a\nb\tc\rd", "\\x41", " x ", "'", "Größe 👕", "\x01\x1f"]
NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


async def back(database: Database, query: Any, literal: str) -> list[Any]:
    async with database.system() as session:
        row = await (await (await session.driver()).execute(query, {"given": literal})).fetchone()
    assert row is not None
    return list(row[0])


@pytest.mark.parametrize("values", [[], [None], AWKWARD, [*AWKWARD, None], [None, *reversed(AWKWARD), None], ["x"]])
async def test_texts(shared_database: Database, values: list[str | None]) -> None:
    assert await back(shared_database, "SELECT %(given)s::text[]", text_array(values)) == values


async def test_numbers_moments_and_bytes(shared_database: Database) -> None:
    numbers = [0, -(2**63), 2**63 - 1, None]
    assert await back(shared_database, "SELECT %(given)s::bigint[]", number_array(numbers)) == numbers
    moments = [NOON, NOON.astimezone(timezone(timedelta(hours=-5))), NOON.replace(microsecond=0), None]
    assert await back(shared_database, "SELECT %(given)s::timestamptz[]", moment_array(moments)) == moments
    raw = [b"", bytes(range(256)), b"\\x"]
    assert await back(shared_database, "SELECT %(given)s::bytea[]", bytes_array(raw)) == raw


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_a_text_with_nul_is_refused_and_never_shifts_the_others(values: list[str]) -> None:
    with pytest.raises(psycopg.DataError, match="NUL"):
        text_array([*values, "a\0b", *values])
