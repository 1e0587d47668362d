"""What is gone from the store: marked, never removed, so that an older line cannot bring it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from syncline.apps.commerce.mirror.kind import Kind, Parent
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.lines import array_texts
from syncline.runtime.db.session import WriteSession

_BURY = sql.SQL(
    "update {table} m set deleted_at = greatest(%(moment)s, m.source_updated_at)"
    " where m.store_id = %(store)s and m.tenant_id = %(tenant)s and m.deleted_at is null"
    "   and (%(certain)s or m.source_updated_at is null or m.source_updated_at < %(moment)s) and {condition}"
)


async def _bury(
    session: WriteSession,
    store_id: UUID,
    kind: Kind,
    condition: sql.Composable,
    moment: datetime,
    *,
    certain: bool = False,
    **values: Any,
) -> int:
    """`certain`: the store said so of each record. Otherwise its absence from a reading that began at `moment` says so,
    which is nothing against a record that was changed since."""
    driver = await session.driver()
    query = _BURY.format(table=sql.Identifier("commerce", kind.table.name), condition=condition)
    given = {"store": store_id, "tenant": session.tenant_id, "moment": moment, "certain": certain, **values}
    return (await driver.execute(query, given)).rowcount


async def bury_unseen(
    session: WriteSession, store_id: UUID, kind: Kind, *, run_id: UUID, stream: str, read_from: datetime
) -> int:
    """After a complete read: what the run did not name and was not changed since it began is gone."""
    seconds = "s.second_keys" if len(kind.key) > 1 else "s.keys"
    same = sql.SQL(" and ").join(
        sql.SQL("seen.{} = m.{}").format(sql.Identifier(name), sql.Identifier(column))
        for name, column in zip("ab", kind.key, strict=False)
    )
    condition = sql.SQL("not exists (select from ({seen}) as seen where {same})").format(
        seen=_SEEN.format(seconds=sql.SQL(seconds)), same=same
    )
    return await _bury(session, store_id, kind, condition, read_from, run=run_id, stream=stream, name=kind.name)


# `not exists` becomes an anti-join; `not in` would compare every row with every key as soon as they outgrow work_mem.
_SEEN = sql.SQL(
    "select u.a, u.b from commerce.pull_seen s, unnest(s.keys, {seconds}) as u(a, b)"
    " where s.run_id = %(run)s and s.stream = %(stream)s and s.kind = %(name)s"
)


async def bury_unseen_children(
    session: WriteSession, store_id: UUID, kind: Kind, parent: Parent, *, run_id: UUID, read_from: datetime
) -> int:
    """After an incremental read: a record comes with all its children, so those it came without are gone."""
    seconds = "s.second_keys" if len(kind.key) > 1 else "s.keys"
    same = sql.SQL(" and ").join(
        sql.SQL("seen.{} = m.{}").format(sql.Identifier(name), sql.Identifier(column))
        for name, column in zip("ab", kind.key, strict=False)
    )
    condition = sql.SQL(
        "{only} and m.{column} in (select unnest(s.keys) from commerce.pull_seen s"
        "  where s.run_id = %(run)s and s.stream = %(stream)s and s.kind = %(parent)s)"
        " and not exists (select from ({seen}) as seen where {same})"
    ).format(
        only=sql.SQL(parent.only or "true"),
        column=sql.Identifier(parent.column),
        seen=_SEEN.format(seconds=sql.SQL(seconds)),
        same=same,
    )
    seen_as = parent.seen_as or parent.kind
    return await _bury(
        session, store_id, kind, condition, read_from, run=run_id, stream=kind.stream, name=kind.name, parent=seen_as
    )


async def bury_orphans(session: WriteSession, store_id: UUID, kind: Kind, parent: Parent, *, moment: datetime) -> int:
    """Children whose parent is gone."""
    condition = sql.SQL(
        "{only} and m.{column} in (select p.{matches} from {parents} p"
        " where p.store_id = %(store)s and p.tenant_id = %(tenant)s and p.deleted_at is not null)"
        # Two variants may share one inventory item.
        " and not exists (select from {parents} p where p.store_id = %(store)s and p.tenant_id = %(tenant)s"
        "  and p.{matches} = m.{column} and p.deleted_at is null)"
    ).format(
        only=sql.SQL(parent.only or "true"),
        column=sql.Identifier(parent.column),
        matches=sql.Identifier(parent.matches),
        parents=sql.Identifier("commerce", KINDS[parent.kind].table.name),
    )
    counting = next((other for other in kind.parents if other is not parent and other.counted_in), None)
    if counting is None:
        return await _bury(session, store_id, kind, condition, moment, certain=True)
    return await _bury_and_count(session, store_id, kind, counting, condition, moment)


async def _bury_and_count(
    session: WriteSession, store_id: UUID, kind: Kind, counting: Parent, condition: sql.Composable, moment: datetime
) -> int:
    """A product that is gone is in no collection any more: what the collection said of their number follows."""
    driver = await session.driver()
    query = sql.SQL(
        "with gone as ({bury} returning m.{column} as owner), counted as ("
        " update {above} p set {number} = p.{number} - g.n, line_hash = 0, content_hash = 0"
        " from (select owner, count(*) as n from gone group by owner) g"
        " where p.store_id = %(store)s and p.tenant_id = %(tenant)s and p.id = g.owner)"
        " select count(*) from gone"
    ).format(
        bury=_BURY.format(table=sql.Identifier("commerce", kind.table.name), condition=condition),
        column=sql.Identifier(counting.column),
        above=sql.Identifier("commerce", KINDS[counting.kind].table.name),
        number=sql.Identifier(counting.counted_in or ""),
    )
    given = {"store": store_id, "tenant": session.tenant_id, "moment": moment, "certain": True}
    (count,) = await (await driver.execute(query, given)).fetchone() or (0,)
    return int(count)


async def bury_all_orphans(session: WriteSession, store_id: UUID, *, moment: datetime) -> Counter[str]:
    """Whatever hangs on something that is gone: how many records, by stream. The streams of a run are read side by
    side, so this comes after them."""
    buried: Counter[str] = Counter()
    for kind in KINDS.values():
        for parent in kind.parents:
            buried[kind.stream] += await bury_orphans(session, store_id, kind, parent, moment=moment)
    return +buried


async def empty_links(session: WriteSession, store_id: UUID) -> None:
    """What names a record that is gone names nothing any more, as in the store. The hashes of these rows are forgotten:
    the next line of each is looked at."""
    driver = await session.driver()
    for kind, link in ((one, link) for one in KINDS.values() for link in one.links):
        query = sql.SQL(
            "update {table} m set {column} = null, line_hash = 0, content_hash = 0"
            " where m.store_id = %(store)s and m.tenant_id = %(tenant)s and m.deleted_at is null and m.{column} in"
            " (select p.id from {linked} p"
            "  where p.store_id = %(store)s and p.tenant_id = %(tenant)s and p.deleted_at is not null)"
        ).format(
            table=sql.Identifier("commerce", kind.table.name),
            column=sql.Identifier(link.column),
            linked=sql.Identifier("commerce", KINDS[link.kind].table.name),
        )
        await driver.execute(query, {"store": store_id, "tenant": session.tenant_id})


async def bury_by_key(
    session: WriteSession, store_id: UUID, kind: Kind, keys: Sequence[tuple[int, ...]], *, moment: datetime
) -> int:
    """Records of which the store said one by one that they are gone."""
    if not keys:
        return 0
    pairs = sql.SQL(", ").join(sql.Identifier("m", name) for name in kind.key)
    arrays = sql.SQL(", ").join(sql.SQL("{}::bigint[]").format(sql.Placeholder(f"k{i}")) for i in range(len(kind.key)))
    condition = sql.SQL("({pairs}) in (select * from unnest({arrays}))").format(pairs=pairs, arrays=arrays)
    columns = {f"k{i}": [key[i] for key in keys] for i in range(len(kind.key))}
    return await _bury(session, store_id, kind, condition, moment, certain=True, **columns)


async def distrust(session: WriteSession, store_id: UUID, kind: Kind, keys: Sequence[tuple[int, ...]]) -> None:
    """Forget the hashes of these records, so that the next line of each is looked at whatever it says."""
    if not keys:
        return
    driver = await session.driver()
    query = sql.SQL(
        "update {table} m set line_hash = 0, content_hash = 0 where m.store_id = %s and m.tenant_id = %s"
        " and ({names}) in (select * from unnest({arrays}))"
    ).format(
        table=sql.Identifier("commerce", kind.table.name),
        names=sql.SQL(", ").join(sql.Identifier("m", name) for name in kind.key),
        arrays=sql.SQL(", ").join(sql.SQL("%s::bigint[]") for _ in kind.key),
    )
    await driver.execute(query, [store_id, session.tenant_id, *array_texts(keys)])
