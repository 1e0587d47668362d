"""Every question to the mirror that is not a load."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, bindparam, func, literal_column, select, tuple_

from syncline.apps.commerce.mirror.kind import Link, Parent
from syncline.apps.commerce.mirror.kinds import KINDS, LOCATION, Kind, compared_hash, content_of_row
from syncline.apps.commerce.mirror.lines import Key, array_texts
from syncline.apps.commerce.mirror.models import location
from syncline.runtime.db.session import Session

_KEYS_AT_ONCE = 5_000


def _live(session: Session, store_id: UUID, kind: Kind) -> Any:
    table = kind.table.c
    return (table.tenant_id == session.tenant_id) & (table.store_id == store_id) & table.deleted_at.is_(None)


async def count_kind(session: Session, store_id: UUID, kind: Kind) -> int:
    query = select(func.count()).select_from(kind.table).where(_live(session, store_id, kind))
    return int((await session.execute(query)).scalar_one())


async def count_all(session: Session, store_id: UUID) -> dict[str, int]:
    return {name: await count_kind(session, store_id, kind) for name, kind in KINDS.items()}


async def list_locations(session: Session, store_id: UUID) -> Sequence[tuple[int, str]]:
    """Number and name of every location that can hold stock."""
    query = (
        select(location.c.id, location.c.name)
        .where(_live(session, store_id, LOCATION), location.c.is_active)
        .order_by(location.c.id)
    )
    return [(number, name) for number, name in (await session.execute(query))]


async def list_contents(session: Session, store_id: UUID, kind: Kind) -> AsyncIterator[dict[Key, int]]:
    """Every live record's key and the hash of what the mirror really holds of it, in pages of 5,000."""
    names = (*kind.columns, "position") if kind.is_placed else kind.columns
    query = select(*(kind.table.c[name] for name in names)).where(_live(session, store_id, kind))
    result = await session.stream(query, execution_options={"yield_per": 5_000})
    async for page in result.mappings().partitions(5_000):
        yield {
            tuple(row[name] for name in kind.key): compared_hash(
                kind, content_of_row(kind, dict(row)), row["position"] if kind.is_placed else None
            )
            for row in page
        }


async def find_contents_of_roots(session: Session, store_id: UUID, kind: Kind, roots: Sequence[int]) -> dict[Key, int]:
    """As `list_contents`, of all that is read with the records of these numbers."""
    root = literal_column(f"({kind.root})", BigInteger)
    return await _find_contents(
        session, store_id, kind, root == any_(bindparam("roots", list(roots), ARRAY(BigInteger)))
    )


async def find_contents(session: Session, store_id: UUID, kind: Kind, keys: Sequence[Key]) -> dict[Key, int]:
    """As `list_contents`, of these records."""
    found: dict[Key, int] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        columns = [literal_column(f"m.{name}", BigInteger) for name in kind.key]
        part = tuple_(*columns).in_(keys[start : start + _KEYS_AT_ONCE])
        found |= await _find_contents(session, store_id, kind, part)
    return found


async def _find_contents(
    session: Session, store_id: UUID, kind: Kind, condition: ColumnElement[bool]
) -> dict[Key, int]:
    """`condition` calls the row `m`."""
    m = kind.table.alias("m")
    names = (*kind.columns, "position") if kind.is_placed else kind.columns
    query = select(*(m.c[name] for name in names)).where(
        m.c.tenant_id == session.tenant_id, m.c.store_id == store_id, m.c.deleted_at.is_(None), condition
    )
    rows = (await session.execute(query)).mappings()
    return {
        tuple(row[name] for name in kind.key): compared_hash(
            kind, content_of_row(kind, dict(row)), row["position"] if kind.is_placed else None
        )
        for row in rows
    }


async def find_parents_with_wrong_count(
    session: Session, store_id: UUID, kind: Kind, parent: Parent, *, limit: int
) -> Sequence[int]:
    """Parents whose own count of children is not what the mirror holds of them: a line was lost on the way."""
    above = KINDS[parent.kind]
    told = above.table.c[parent.counted_in or ""]
    owner = kind.table.c[parent.column]
    held = (
        select(owner.label("owner"), func.count().label("n"))
        .where(_live(session, store_id, kind))
        .group_by(owner)
        .subquery()
    )
    query = (
        select(above.table.c.id)
        .outerjoin(held, held.c.owner == above.table.c.id)
        .where(_live(session, store_id, above), told.is_not(None), told != func.coalesce(held.c.n, 0))
        .order_by(above.table.c.id)
        .limit(limit)
    )
    return list((await session.execute(query)).scalars())


async def find_loose_ends(
    session: Session, store_id: UUID, kind: Kind, end: Parent | Link, *, written_since: datetime | None, limit: int
) -> Sequence[Key]:
    """Records that hang on one, or name one, which the mirror does not know at all: it was made after its stream was
    read, or deleted before. Those written since then; None: all."""
    only, matches = (end.only, end.matches) if isinstance(end, Parent) else (None, "id")
    driver = await session.driver()
    query = sql.SQL(
        "select {names} from {table} m where m.store_id = %s and m.tenant_id = %s and m.deleted_at is null"
        " and m.synced_at >= coalesce(%s, '-infinity'::timestamptz) and m.{column} is not null and {only}"
        " and not exists (select from {others} p"
        " where p.store_id = m.store_id and p.tenant_id = m.tenant_id and p.{matches} = m.{column}) limit %s"
    ).format(
        names=sql.SQL(", ").join(sql.Identifier("m", name) for name in kind.key),
        table=sql.Identifier("commerce", kind.table.name),
        column=sql.Identifier(end.column),
        only=sql.SQL(only or "true"),
        others=sql.Identifier("commerce", KINDS[end.kind].table.name),
        matches=sql.Identifier(matches),
    )
    rows = await driver.execute(query, [store_id, session.tenant_id, written_since, limit])
    return [tuple(row) for row in await rows.fetchall()]


async def find_roots(session: Session, store_id: UUID, kind: Kind, keys: Sequence[Key]) -> dict[Key, int | None]:
    """For each key the mirror knows, the number of its stream's root record: the product of a variant's metafield."""
    driver = await session.driver()
    query = sql.SQL(
        "select {names}, {root} from {table} m where m.store_id = %s and m.tenant_id = %s"
        " and ({names}) in (select * from unnest({arrays}))"
    ).format(
        names=sql.SQL(", ").join(sql.Identifier("m", name) for name in kind.key),
        root=sql.SQL(kind.root),
        table=sql.Identifier("commerce", kind.table.name),
        arrays=sql.SQL(", ").join(sql.SQL("%s::bigint[]") for _ in kind.key),
    )
    width = len(kind.key)
    if not keys:
        return {}
    rows = await driver.execute(query, [store_id, session.tenant_id, *array_texts(keys)])
    return {row[:width]: row[width] for row in await rows.fetchall()}
