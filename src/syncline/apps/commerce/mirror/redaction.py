"""Records that were emptied of a person: how they are emptied, and that what the store sends again is too.

The store's own record rules what a record says, except of somebody who was erased here for good: his customer, and the
orders he had made by then, are written without him whenever they come. A record with a number of its own that is made
later is a new one, and comes as the store has it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from syncline.apps.commerce.mirror.kind import Blank, Content, Kind, Part, Personal, content_hash
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.parts import Collected
from syncline.runtime.db.session import Session, WriteSession

_VALUES: Mapping[Blank, Any] = {"null": None, "no texts": [], "no items": b"[]", "nought": 0}
_SQL: Mapping[Blank, sql.SQL] = {
    "null": sql.SQL("null"),
    "no texts": sql.SQL("'{}'"),
    "no items": sql.SQL("'[]'"),
    "nought": sql.SQL("0"),
}
_FIND = sql.SQL(
    "select number, redacted_at from commerce.redaction"
    " where store_id = %s and tenant_id = %s and kind = %s and number = any(%s::bigint[])"
)
_LIST = sql.SQL("select number from commerce.redaction where store_id = %s and tenant_id = %s and kind = %s")
_ADD = sql.SQL(
    "insert into commerce.redaction (store_id, kind, number, tenant_id, redacted_at)"
    " select %s, %s, number, %s, %s from unnest(%s::bigint[]) as number on conflict do nothing"
)
_SET_ASIDE = sql.SQL(
    "insert into commerce.kept_out (tenant_id, shop_domain, kind, number, redacted_at)"
    " select tenant_id, %s, kind, number, redacted_at from commerce.redaction where store_id = %s and tenant_id = %s"
    " on conflict do nothing"
)
_TAKE_UP = sql.SQL(
    "with kept as (delete from commerce.kept_out where shop_domain = %s and tenant_id = %s"
    " returning kind, number, tenant_id, redacted_at)"
    " insert into commerce.redaction (store_id, kind, number, tenant_id, redacted_at)"
    " select %s, kind, number, tenant_id, redacted_at from kept on conflict do nothing"
)
_LOCK = "select {}(hashtextextended('commerce.redaction:' || %s::text, 0))"
# A load that looked before an erasure and wrote after it would bring back whom it took out, so of the two one waits.
_WAIT_TO_LOAD = sql.SQL(_LOCK).format(sql.SQL("pg_advisory_xact_lock_shared"))
_WAIT_TO_ERASE = sql.SQL(_LOCK).format(sql.SQL("pg_advisory_xact_lock"))


async def hold_loads(session: WriteSession, store_id: UUID) -> None:
    """No record of a person is written to this store's mirror by others until the transaction ends."""
    await (await session.driver()).execute(_WAIT_TO_ERASE, [store_id])


async def find_redacted(session: Session, store_id: UUID, kind: str, numbers: Collection[int]) -> dict[int, datetime]:
    """Those of the numbers that were emptied, and when."""
    driver = await session.driver()
    rows = await driver.execute(_FIND, [store_id, session.tenant_id, kind, list(numbers)])
    return dict(await rows.fetchall())


async def list_redacted(session: Session, store_id: UUID, kind: Kind) -> Sequence[int]:
    driver = await session.driver()
    rows = await driver.execute(_LIST, [store_id, session.tenant_id, kind.name])
    return [number for (number,) in await rows.fetchall()]


async def keep_out(
    session: WriteSession, store_id: UUID, kind: str, numbers: Collection[int], *, moment: datetime
) -> None:
    """From now on these come emptied, whether or not the mirror holds them."""
    if numbers:
        driver = await session.driver()
        await driver.execute(_ADD, [store_id, kind, session.tenant_id, moment, sorted(numbers)])


async def set_aside(session: WriteSession, store_id: UUID, shop_domain: str) -> int:
    """Who was erased for good stays so when the store is removed: the numbers go to the shop. How many."""
    driver = await session.driver()
    return (await driver.execute(_SET_ASIDE, [shop_domain, store_id, session.tenant])).rowcount


async def take_up(session: WriteSession, store_id: UUID, shop_domain: str) -> int:
    """The shop is connected again, as another store, and what was set aside is this one's. How many."""
    driver = await session.driver()
    return (await driver.execute(_TAKE_UP, [shop_domain, session.tenant, store_id])).rowcount


async def empty_rows(session: WriteSession, store_id: UUID, kind: Kind, numbers: Collection[int]) -> dict[str, int]:
    """Empty these records and their parts, buried ones too. Their hashes are forgotten, so that the next line of each
    is looked at. Counts by kind and part."""
    driver = await session.driver()
    given = [store_id, session.tenant_id, sorted(numbers)]
    where = sql.SQL(" where store_id = %s and tenant_id = %s and {} = any(%s::bigint[])")
    forgotten = sql.SQL(", line_hash = 0, content_hash = 0")
    query = (
        sql.SQL("update {} set ").format(sql.Identifier("commerce", kind.table.name))
        + _sets(kind.personal)
        + forgotten
        + where.format(sql.Identifier(kind.key[0]))
    )
    counts = {kind.name: (await driver.execute(query, given)).rowcount}
    for part in (one for one in kind.parts if one.personal or one.is_personal):
        table = sql.Identifier("commerce", part.table.name)
        if part.is_personal:
            change = sql.SQL("delete from {}").format(table)
        else:
            change = sql.SQL("update {} set ").format(table) + _sets(part.personal)
        owner = where.format(sql.Identifier(part.columns[0]))
        counts[part.name] = (await driver.execute(change + owner, given)).rowcount
    return counts


async def empty_with_all(
    session: WriteSession, store_id: UUID, kind: Kind, numbers: Collection[int], *, kept_out_from: datetime | None
) -> dict[str, int]:
    """`empty_rows` of these records and of what is somebody's because they are. They stay empty, whatever the store
    sends, where `kept_out_from` is given. Counts by kind and part."""
    if kept_out_from is not None:
        await keep_out(session, store_id, kind.name, numbers, moment=kept_out_from)
    counts = await empty_rows(session, store_id, kind, numbers)
    for below in _hanging_on(kind.name):
        held = await _list_below(session, store_id, below, numbers)
        counts |= await empty_with_all(session, store_id, below, held, kept_out_from=kept_out_from)
    return counts


def _hanging_on(kind: str) -> list[Kind]:
    """Personal records that are whose the record is that they hang on: the metafields of a customer."""
    return [
        one
        for one in KINDS.values()
        if one.whose is not None and one.whose[1] == kind and any(parent.kind == kind for parent in one.parents)
    ]


async def _list_below(session: Session, store_id: UUID, kind: Kind, owners: Collection[int]) -> Sequence[int]:
    """The numbers of records of `kind` that hang on these, buried ones too."""
    assert kind.whose is not None
    driver = await session.driver()
    query = sql.SQL("select id from {} where store_id = %s and tenant_id = %s and {} = any(%s::bigint[])").format(
        sql.Identifier("commerce", kind.table.name), sql.Identifier(kind.whose[0])
    )
    rows = await driver.execute(query, [store_id, session.tenant_id, sorted(owners)])
    return [number for (number,) in await rows.fetchall()]


def _sets(personal: Personal) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(name), _SQL[blank]) for name, blank in personal)


async def empty_redacted(
    session: WriteSession, store_id: UUID, kind: Kind, contents: Sequence[Content], parts: Collected
) -> tuple[list[Content], Collected]:
    """Rows as they are about to be written (content, version, line hash, content hash) and the parts of their records,
    emptied where they are to stay empty."""
    driver = await session.driver()
    await driver.execute(_WAIT_TO_LOAD, [store_id])
    numbers = {row[0] for row in contents}
    redacted = set(await find_redacted(session, store_id, kind.name, numbers))
    if kind.whose is not None:
        late = await _of_the_erased(session, store_id, kind, contents)
        for moment in set(late.values()):
            numbers_then = [number for number, at in late.items() if at == moment]
            await keep_out(session, store_id, kind.name, numbers_then, moment=moment)
            # What hangs on them may have come before them.
            for below in _hanging_on(kind.name):
                held = await _list_below(session, store_id, below, numbers_then)
                await empty_with_all(session, store_id, below, held, kept_out_from=moment)
        redacted |= late.keys()
    if not redacted:
        return list(contents), parts
    emptied = [_emptied_row(kind, row) if row[0] in redacted else row for row in contents]
    return emptied, {part.name: _emptied_part(part, parts.get(part.name, []), redacted) for part in kind.parts}


async def _of_the_erased(
    session: WriteSession, store_id: UUID, kind: Kind, contents: Sequence[Content]
) -> dict[int, datetime]:
    """Records of somebody who was erased after they were made, and when he was."""
    assert kind.whose is not None
    column, owner, made = kind.whose
    whose, at = kind.columns.index(column), kind.columns.index(made)
    erased = await find_redacted(session, store_id, owner, {row[whose] for row in contents if row[whose] is not None})
    return {row[0]: erased[row[whose]] for row in contents if row[whose] in erased and row[at] <= erased[row[whose]]}


def _emptied_row(kind: Kind, row: Content) -> Content:
    width = len(kind.columns)
    content = _emptied(kind.columns, kind.personal, row[:width])
    version, line_hash, _ = row[width:]
    return (*content, version, line_hash, content_hash(content))


def _emptied_part(part: Part, rows: Sequence[Content], redacted: Collection[int]) -> list[Content]:
    if part.is_personal:
        return [row for row in rows if row[0] not in redacted]
    return [_emptied(part.columns, part.personal, row) if row[0] in redacted else row for row in rows]


def _emptied(columns: Sequence[str], personal: Personal, row: Content) -> Content:
    blanks = dict(personal)
    return tuple(_VALUES[blanks[name]] if name in blanks else value for name, value in zip(columns, row, strict=True))
