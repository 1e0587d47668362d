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
    return await _bury(session, store_id, kind, condition, moment, certain=True)


async def bury_all_orphans(session: WriteSession, store_id: UUID, *, moment: datetime) -> Counter[str]:
    """Whatever hangs on something that is gone: how many records, by stream. The streams of a run are read side by
    side, so this comes after them."""
    buried: Counter[str] = Counter()
    for kind in KINDS.values():
        for parent in kind.parents:
            buried[kind.stream] += await bury_orphans(session, store_id, kind, parent, moment=moment)
    return +buried


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
