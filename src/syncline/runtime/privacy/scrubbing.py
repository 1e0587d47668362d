"""Takes somebody's addresses out of texts and JSON that may quote anything."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from psycopg import sql
from psycopg.types.json import Json, Jsonb

from syncline.runtime.db.session import WriteSession

ERASED = "[erased]"


def pattern_of(terms: Collection[str]) -> re.Pattern[str] | None:
    """Finds any of the terms, whatever its capitals, as a whole: `ada@x.org` is not in `clada@x.org`."""
    longest_first = sorted((term for term in terms if term), key=len, reverse=True)
    if not longest_first:
        return None
    return re.compile(rf"(?<![\w.+-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE)


def scrubbed(value: Any, pattern: re.Pattern[str]) -> Any:
    """`value` as JSON has it, with every term gone from its texts and names."""
    if isinstance(value, str):
        return pattern.sub(ERASED, value)
    if isinstance(value, list):
        return [scrubbed(one, pattern) for one in value]
    if isinstance(value, dict):
        return {scrubbed(name, pattern): scrubbed(one, pattern) for name, one in value.items()}
    return value


async def scrub_table(
    session: WriteSession,
    table: sql.Identifier,
    *,
    key: Sequence[str],
    texts: Sequence[str] = (),
    json: Sequence[str] = (),
    jsonb: Sequence[str] = (),
    where: sql.Composable,
    values: Sequence[Any] = (),
    terms: Collection[str],
) -> int:
    """Scrub these columns of the rows that hold a term, among those that `where` allows. How many rows it changed.

    Looks through all of them: a term may stand anywhere, and no index finds it.
    """
    pattern = pattern_of(terms)
    if pattern is None:
        return 0
    columns = [*texts, *json, *jsonb]
    found = await _found(session, table, key, columns, where, values, terms)
    changed = 0
    for row in found:
        after = [scrubbed(value, pattern) for value in row[len(key) :]]
        if after == list(row[len(key) :]):
            continue
        wrapped = [*after[: len(texts)], *map(Json, after[len(texts) : len(texts) + len(json)])]
        wrapped += map(Jsonb, after[len(texts) + len(json) :])
        await _write(session, table, key, row[: len(key)], columns, wrapped)
        changed += 1
    return changed


async def _found(
    session: WriteSession,
    table: sql.Identifier,
    key: Sequence[str],
    columns: Sequence[str],
    where: sql.Composable,
    values: Sequence[Any],
    terms: Collection[str],
) -> list[tuple[Any, ...]]:
    holds = sql.SQL(" or ").join(
        sql.SQL("{}::text ilike any (%s)").format(sql.Identifier(column)) for column in columns
    )
    query = sql.SQL("select {names} from {table} where ({where}) and ({holds})").format(
        names=sql.SQL(", ").join(map(sql.Identifier, [*key, *columns])), table=table, where=where, holds=holds
    )
    like = [f"%{_escaped(term)}%" for term in sorted(terms)]
    driver = await session.driver()
    return await (await driver.execute(query, [*values, *([like] * len(columns))])).fetchall()


async def _write(
    session: WriteSession,
    table: sql.Identifier,
    key: Sequence[str],
    numbers: Sequence[Any],
    columns: Sequence[str],
    values: Sequence[Any],
) -> None:
    query = sql.SQL("update {table} set {sets} where {same}").format(
        table=table,
        sets=sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(column)) for column in columns),
        same=sql.SQL(" and ").join(sql.SQL("{} = %s").format(sql.Identifier(column)) for column in key),
    )
    driver = await session.driver()
    plain = [None if isinstance(one, Json | Jsonb) and one.obj is None else one for one in values]
    await driver.execute(query, [*plain, *numbers])


def _escaped(term: str) -> str:
    """For LIKE; a JSON text writes some signs otherwise, which the pattern that decides does not see."""
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
