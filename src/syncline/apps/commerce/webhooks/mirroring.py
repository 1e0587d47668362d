"""What webhooks say, into the mirror: by the loader that pulls use, which refuses what is older than what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import select

from syncline.apps.commerce.mirror.burying import bury_products
from syncline.apps.commerce.mirror.kind import Content, Kind, content_hash, sorted_json
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.lines import Key, array_texts
from syncline.apps.commerce.mirror.merging import Notice, Rows, merge
from syncline.apps.commerce.mirror.models import order_transaction, variant
from syncline.apps.commerce.mirror.tombstones import bury_by_key
from syncline.apps.commerce.webhooks.told import Told
from syncline.runtime.db.session import Session, WriteSession

Row = Mapping[str, Any]
NEVER_READ: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""A payload was not read from the store: only a later version than the tombstone brings a record back."""

# What a record is that the payload does not say, until it is read: what Shopify makes of a new one.
_UNTOLD: Final[Mapping[str, Mapping[str, Any]]] = {
    "product": {"is_gift_card": False},
    "variant": {"tracked": True, "requires_shipping": True},
    "customer": {"locale": "en", "orders_count": 0, "amount_spent": Decimal(0), "parts_hash": 0},
    "order": {"parts_hash": 0},
}
_JSON: Final = frozenset({"options", "selected_options", "rule_set"})


@dataclass(frozen=True, slots=True)
class Held:
    """A record in the mirror. `gone_at` is when it was deleted."""

    row: Row
    version: datetime | None
    gone_at: datetime | None


async def look_up(session: Session, store_id: UUID, kind: Kind, keys: Iterable[Key]) -> dict[Key, Held]:
    """Tombstones too. Locked until the transaction ends, so that a push or a pull of the same record comes after."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    driver = await session.driver()
    query = sql.SQL(
        "select m.* from {table} m where m.store_id = %s and m.tenant_id = %s and ({names}) in"
        " (select * from unnest({arrays})) order by {names} for update"
    ).format(
        table=sql.Identifier("commerce", kind.table.name),
        names=sql.SQL(", ").join(sql.Identifier("m", name) for name in kind.key),
        arrays=sql.SQL(", ").join(sql.SQL("%s::bigint[]") for _ in kind.key),
    )
    async with driver.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, [store_id, session.tenant_id, *array_texts(wanted)])
        rows = await cursor.fetchall()
    return {
        tuple(row[name] for name in kind.key): Held(row, row["source_updated_at"], row["deleted_at"]) for row in rows
    }


async def write(session: WriteSession, store_id: UUID, told: Sequence[Told], *, notice: Notice | None) -> None:
    """The last of each record wins where they have the same version. Parents before their children."""
    for kind in KINDS.values():
        newest = _newest(one for one in told if one.kind == kind.name)
        if not newest:
            continue
        held = await look_up(session, store_id, kind, newest)
        rows = Rows(kind)
        for key, one in newest.items():
            known = held.get(key)
            content = _content(kind, one, None if known is None else known.row)
            # No line hash: the next pull looks at the line, whatever it says.
            rows.contents.append((*content, one.version or _version(known), 0, content_hash(content)))
            for name, parts in one.parts.items():
                rows.parts.setdefault(name, []).extend(parts)
        if kind.name == "order":
            rows.parts["order_transaction"] = await _transactions(session, store_id, [key[0] for key in newest])
        if notice is not None:
            await notice(session, store_id, rows)
        await merge(session, store_id, rows, read_from=NEVER_READ)


def _newest(told: Iterable[Told]) -> dict[Key, Told]:
    found: dict[Key, Told] = {}
    for one in told:
        before = found.get(one.key)
        if before is None or (one.version or NEVER_READ) >= (before.version or NEVER_READ):
            found[one.key] = one
    return found


def _version(known: Held | None) -> datetime | None:
    return None if known is None else known.version


def _content(kind: Kind, told: Told, row: Row | None) -> Content:
    untold = _UNTOLD.get(kind.name, {})

    def value(name: str) -> Any:
        if name in told.values:
            return told.values[name]
        if row is None:
            return untold.get(name)
        held = row[name]
        return sorted_json(held) if name in _JSON and held is not None else held

    return tuple(value(name) for name in kind.columns)


async def _transactions(session: Session, store_id: UUID, orders: Sequence[int]) -> list[Content]:
    """A payload has none of them; those that are known stay."""
    table = order_transaction.c
    names = ("order_id", "id", "kind", "status", "gateway", "amount", "is_test", "parent_id", "created_at")
    query = select(*(table[name] for name in (*names, "processed_at"))).where(
        table.tenant_id == session.tenant_id, table.store_id == store_id, table.order_id.in_(orders)
    )
    return [tuple(row) for row in await session.execute(query)]


async def bury(session: WriteSession, store_id: UUID, gone: Mapping[str, Sequence[Key]], *, moment: datetime) -> None:
    """With all that hangs on them. `moment` is when the store deleted them."""
    for name, keys in gone.items():
        if name == "product":
            await bury_products(session, store_id, [key[0] for key in keys], moment=moment)
        else:
            await bury_by_key(session, store_id, KINDS[name], list(keys), moment=moment)
            for kind in KINDS.values():
                for parent in kind.parents:
                    if parent.kind == name:
                        owners = [key[0] for key in keys]
                        left = await children_of(session, store_id, kind, parent.column, owners)
                        await bury_by_key(session, store_id, kind, left, moment=moment)


async def bury_others(
    session: WriteSession, store_id: UUID, kind: Kind, owner: int, left: frozenset[int], *, moment: datetime
) -> None:
    """Children that their parent does not have any more."""
    column = next(parent.column for parent in kind.parents)
    there = await children_of(session, store_id, kind, column, [owner])
    gone = [key for key in there if key[0] not in left]
    await bury_by_key(session, store_id, kind, gone, moment=moment)


async def children_of(session: Session, store_id: UUID, kind: Kind, column: str, owners: Sequence[int]) -> list[Key]:
    """The keys of live records of a kind below these parents."""
    table = kind.table.c
    query = select(*(table[name] for name in kind.key)).where(
        table.tenant_id == session.tenant_id,
        table.store_id == store_id,
        table[column].in_(owners),
        table.deleted_at.is_(None),
    )
    return [tuple(row) for row in await session.execute(query)]


async def products_of_items(session: Session, store_id: UUID, items: Sequence[int]) -> Sequence[int]:
    """Whose variants say something of these items."""
    table = variant.c
    query = (
        select(table.product_id)
        .distinct()
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            table.inventory_item_id.in_(items),
            table.deleted_at.is_(None),
        )
    )
    return (await session.scalars(query)).all()
