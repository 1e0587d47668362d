"""The lists inside a record's own line: written with their record, in its transaction, and replaced whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from psycopg import sql

from syncline.apps.commerce.mirror.kind import Content, Kind, Part
from syncline.runtime.db.copy import copy_rows
from syncline.runtime.db.session import WriteSession

Collected = dict[str, list[Content]]


def collect(kind: Kind, node: Any, into: Collected) -> None:
    """Add the rows of a record's parts; their first column is the record's number."""
    for part in kind.parts:
        into.setdefault(part.name, []).extend(part.rows(node))


async def write_parts(
    session: WriteSession, store_id: UUID, kind: Kind, collected: Collected, written: Iterable[tuple[bool, int]]
) -> None:
    """Replace the parts of the records that were `written`: (is new, number) of each. The parts of a record that the
    merge refused, because the mirror is newer, are left alone."""
    numbers = {number: is_new for is_new, number in written}
    known = [number for number, is_new in numbers.items() if not is_new]
    for part in kind.parts:
        if known:
            await _forget(session, store_id, part, known)
        rows = [row for row in collected.get(part.name, ()) if row[0] in numbers]
        if rows:
            await _insert(session, store_id, part, rows)


async def _forget(session: WriteSession, store_id: UUID, part: Part, numbers: Sequence[int]) -> None:
    driver = await session.driver()
    query = sql.SQL(
        "delete from {table} where store_id = %s and tenant_id = %s and {owner} = any(%s::bigint[])"
    ).format(table=sql.Identifier("commerce", part.table.name), owner=sql.Identifier(part.columns[0]))
    await driver.execute(query, (store_id, session.tenant_id, "{" + ",".join(map(str, numbers)) + "}"))


async def _insert(session: WriteSession, store_id: UUID, part: Part, rows: Sequence[Content]) -> None:
    driver = await session.driver()
    names = sql.SQL(", ").join(map(sql.Identifier, part.columns))
    staged = f"incoming_{part.name}"
    table = sql.Identifier("commerce", part.table.name)
    shape = sql.SQL(
        "create temporary table if not exists {staged} on commit drop as select {names} from {table} with no data"
    )
    await driver.execute(shape.format(staged=sql.Identifier(staged), names=names, table=table))
    await copy_rows(session, staged, part.columns, rows)
    # A file that repeats itself names a part twice.
    insert = sql.SQL(
        "insert into {table} (store_id, tenant_id, {names}) select %s, %s, {names} from {staged} on conflict do nothing"
    )
    query = insert.format(table=table, names=names, staged=sql.Identifier(staged))
    await driver.execute(query, (store_id, session.tenant_id))
    await driver.execute(sql.SQL("truncate {}").format(sql.Identifier(staged)))
