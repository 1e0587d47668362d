from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.mirror.kind import Kind, Parent
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.whole_product import FIELD as WHOLE
from syncline.runtime.db.session import Session

_MOST = 10


@dataclass(frozen=True, slots=True)
class Broken:
    """How many rows break a rule, and some of them by their keys."""

    count: int
    examples: Sequence[str]


_MINE = "{alias}.store_id = %(store)s and {alias}.tenant_id = %(tenant)s"
_CHILD, _PARENT = _MINE.format(alias="m"), _MINE.format(alias="p")
_ALONE = sql.SQL(
    "select count(*) over (), {key} from {children} m"  # noqa: S608 - the names are those of our own tables
    f" where {_CHILD} and m.deleted_at is null and {{only}}"
    f" and not exists (select from {{parents}} p where {_PARENT} and p.{{matches}} = m.{{column}}"
    "  and p.deleted_at is null)"
    f" and {{buried}} exists (select from {{parents}} p where {_PARENT} and p.{{matches}} = m.{{column}})"
    " order by {key} limit 10"
)
_EMPTY = sql.SQL(
    "select count(*) over (), p.id::text from commerce.product p"  # noqa: S608 - constants
    f" where {_PARENT} and p.deleted_at is null and not exists (select from commerce.variant m"
    f"  where {_CHILD} and m.product_id = p.id and m.deleted_at is null)"
    " order by p.id limit 10"
)
_EXISTS = sql.SQL("select exists (select from {table} p where " + _PARENT + ")")  # noqa: S608 - a constant
_LIVE_PUSH = (
    "exists (select from commerce.push_run r where r.tenant_id = %(tenant)s and r.store_id = %(store)s"
    " and r.status in ('queued', 'running'))"
)
_CHANGES = "select count(*) over (), m.id::text from commerce.staged_change m where " + _CHILD  # noqa: S608 - a constant
_WITHOUT_BATCH = sql.SQL(
    _CHANGES + " and not exists (select from commerce.change_batch b where b.tenant_id = %(tenant)s"
    " and b.id = m.batch_id) limit 10"
)
_STUCK = sql.SQL(f"{_CHANGES} and m.status = 'sending' and not {_LIVE_PUSH} limit 10")
_WAITING = f"{_CHANGES} and m.status in ('pending', 'approved', 'conflict')"
# What a product is made of has none yet, and what is changed of a collection is of no product: it has number 0.
_OF_GONE = sql.SQL(
    f"{_WAITING} and m.kind <> '{Owner.COLLECTION.value}'"
    f" and not (m.kind = '{Owner.WHOLE_PRODUCT.value}' and m.before -> '{WHOLE}' = 'null'::jsonb)"
    f" and not exists (select from commerce.product p where {_PARENT} and p.id = m.product_id and p.deleted_at is null)"
    " limit 10"
)
_OF_GONE_COLLECTIONS = sql.SQL(
    f"{_WAITING} and (m.kind = '{Owner.COLLECTION.value}' or m.kind = '{Owner.COLLECTION_MEMBERSHIP.value}')"
    f" and not exists (select from commerce.collection p where {_PARENT} and p.id = m.resource_id"
    " and p.deleted_at is null) limit 10"
)
# One statement, so that both sides are of one moment.
_MISCOUNTED = sql.SQL(
    "select count(*) over (), concat_ws(' ', kind, nullif(vendor, ''), status) from ("  # noqa: S608 - constants
    f" select kind, vendor, status, n from commerce.change_tally m where {_CHILD} union all"
    f" select kind, vendor, status, -count(*) from commerce.staged_change m where {_CHILD}"
    "  group by kind, vendor, status"
    ") as both_sides group by kind, vendor, status having sum(n) <> 0 order by 2 limit 10"
)
_OPEN_RECEIPTS = sql.SQL(
    "select count(*) over (), m.change_id::text from commerce.receipt m"  # noqa: S608 - constants
    " join commerce.push_run r on r.tenant_id = %(tenant)s and r.id = m.push_run_id and r.store_id = %(store)s"
    f" where m.tenant_id = %(tenant)s and m.finished_at is null and not {_LIVE_PUSH} limit 10"
)


async def _find(session: Session, query: sql.SQL | sql.Composed, store_id: UUID) -> Broken:
    driver = await session.driver()
    cursor = await driver.execute(query, {"store": store_id, "tenant": session.tenant_id})
    rows: list[Any] = await cursor.fetchall()
    return Broken(rows[0][0] if rows else 0, [row[1] for row in rows[:_MOST]])


async def is_held(session: Session, store_id: UUID, kind: str) -> bool:
    """Whether the mirror has any record of this kind, gone ones too."""
    driver = await session.driver()
    query = _EXISTS.format(table=sql.Identifier("commerce", KINDS[kind].table.name))
    row = await (await driver.execute(query, {"store": store_id, "tenant": session.tenant_id})).fetchone()
    return bool(row and row[0])


async def find_alone(session: Session, store_id: UUID, kind: Kind, parent: Parent, *, buried: bool) -> Broken:
    """Living records whose parent is marked as gone (`buried`), or was never there."""
    key = sql.SQL(" || '/' || ").join(sql.SQL("m.{}").format(sql.Identifier(name)) for name in kind.key)
    query = _ALONE.format(
        key=sql.SQL("({})::text").format(key),
        children=sql.Identifier("commerce", kind.table.name),
        parents=sql.Identifier("commerce", KINDS[parent.kind].table.name),
        only=sql.SQL(parent.only or "true"),
        matches=sql.Identifier(parent.matches),
        column=sql.Identifier(parent.column),
        buried=sql.SQL("" if buried else "not"),
    )
    return await _find(session, query, store_id)


async def find_products_without_variants(session: Session, store_id: UUID) -> Broken:
    return await _find(session, _EMPTY, store_id)


async def find_changes_without_batch(session: Session, store_id: UUID) -> Broken:
    return await _find(session, _WITHOUT_BATCH, store_id)


async def find_stuck_changes(session: Session, store_id: UUID) -> Broken:
    """Being sent, while no push runs."""
    return await _find(session, _STUCK, store_id)


async def find_changes_of_gone_products(session: Session, store_id: UUID) -> Broken:
    """Of what a product has or is, but not those that make one."""
    return await _find(session, _OF_GONE, store_id)


async def find_changes_of_gone_collections(session: Session, store_id: UUID) -> Broken:
    return await _find(session, _OF_GONE_COLLECTIONS, store_id)


async def find_open_receipts(session: Session, store_id: UUID) -> Broken:
    """Begun and never ended, while no push runs."""
    return await _find(session, _OPEN_RECEIPTS, store_id)


async def find_miscounted_changes(session: Session, store_id: UUID) -> Broken:
    """Groups of staged changes whose kept count is not what counting them gives."""
    return await _find(session, _MISCOUNTED, store_id)
