"""What is gone from the store: marked, never removed, so that an older line cannot bring it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from syncline.apps.commerce.mirror.kinds import INVENTORY_LEVEL, PRODUCT, VARIANT, Kind
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


async def bury_unseen_variants(session: WriteSession, store_id: UUID, *, run_id: UUID, read_from: datetime) -> int:
    """After an incremental read: a product comes with all its variants, so those it came without are gone."""
    condition = sql.SQL(
        "m.product_id in (select unnest(s.keys) from commerce.pull_seen s"
        "  where s.run_id = %(run)s and s.stream = 'products' and s.kind = 'product')"
        " and not exists (select from (select unnest(s.keys) as id from commerce.pull_seen s"
        "  where s.run_id = %(run)s and s.stream = 'products' and s.kind = 'variant') as seen where seen.id = m.id)"
    )
    return await _bury(session, store_id, VARIANT, condition, read_from, run=run_id)


async def bury_levels_of_buried_variants(session: WriteSession, store_id: UUID, *, moment: datetime) -> int:
    condition = sql.SQL(
        "exists (select 1 from commerce.variant v where v.store_id = m.store_id"
        " and v.inventory_item_id = m.inventory_item_id and v.deleted_at is not null)"
    )
    return await _bury(session, store_id, INVENTORY_LEVEL, condition, moment, certain=True)


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


async def bury_products(session: WriteSession, store_id: UUID, ids: Sequence[int], *, moment: datetime) -> int:
    """Products the store deleted, with all that hung on them."""
    keys = [(number,) for number in ids]
    products = await bury_by_key(session, store_id, PRODUCT, keys, moment=moment)
    condition = sql.SQL("m.product_id = any(%(ids)s)")
    variants = await _bury(session, store_id, VARIANT, condition, moment, certain=True, ids=list(ids))
    levels = await bury_levels_of_buried_variants(session, store_id, moment=moment) if variants else 0
    return products + variants + levels
