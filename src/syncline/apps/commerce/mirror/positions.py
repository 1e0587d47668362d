"""Where a medium stands among those of its product.

No field of Shopify's says it: the order of a product's lines does. So it is known when the lines of a product have all
been seen, and not before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg import sql
from sqlalchemy import exists, select

from syncline.apps.commerce.mirror.kind import Kind
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.models import product_media
from syncline.runtime.db.session import Session, WriteSession

# A file that repeats itself, or a record that was read again, counts by its last line.
_PLACE_SEEN = sql.SQL(
    "update {table} m set position = placed.position from ("
    " select last.a, last.b, row_number() over (partition by last.a order by last.ordinal, last.at) as position from ("
    "  select distinct on (u.a, u.b) u.a, u.b, s.ordinal, u.at from commerce.pull_seen s,"
    "  unnest(s.keys, s.second_keys) with ordinality as u(a, b, at)"
    "  where s.run_id = %(run)s and s.tenant_id = %(tenant)s and s.stream = %(stream)s and s.kind = %(kind)s"
    "  order by u.a, u.b, s.ordinal desc, u.at desc) as last) as placed"
    " where m.store_id = %(store)s and m.tenant_id = %(tenant)s and m.{parent} = placed.a and m.{own} = placed.b"
    " and m.position is distinct from placed.position"
)
_PLACE = sql.SQL(
    "update {table} m set position = placed.position"
    " from unnest(%(parents)s::bigint[], %(own)s::bigint[], %(positions)s::integer[]) as placed(a, b, position)"
    " where m.store_id = %(store)s and m.tenant_id = %(tenant)s and m.{parent} = placed.a and m.{own} = placed.b"
    " and m.position is distinct from placed.position"
)


def _named(query: sql.SQL, kind: Kind) -> sql.Composed:
    parent, own = kind.key
    return query.format(
        table=sql.Identifier("commerce", kind.table.name), parent=sql.Identifier(parent), own=sql.Identifier(own)
    )


async def place_seen(session: WriteSession, store_id: UUID, kind: Kind, *, run_id: UUID) -> None:
    """The places of everything that a run has seen of a kind, in the order it came."""
    driver = await session.driver()
    given = {
        "store": store_id,
        "tenant": session.tenant_id,
        "run": run_id,
        "stream": kind.stream,
        "kind": kind.name,
    }
    await driver.execute(_named(_PLACE_SEEN, kind), given)


async def place(session: WriteSession, store_id: UUID, kind: Kind, keys: Sequence[Key]) -> None:
    """The places of records whose families were read whole, each family in its order."""
    positions = positions_of(keys)
    driver = await session.driver()
    given = {
        "store": store_id,
        "tenant": session.tenant_id,
        "parents": [key[0] for key in positions],
        "own": [key[1] for key in positions],
        "positions": list(positions.values()),
    }
    await driver.execute(_named(_PLACE, kind), given)


def positions_of(keys: Sequence[Key]) -> Mapping[Key, int]:
    """From 1, within each parent."""
    counts: dict[int, int] = {}
    positions: dict[Key, int] = {}
    for key in dict.fromkeys(keys):
        counts[key[0]] = counts.get(key[0], 0) + 1
        positions[key] = counts[key[0]]
    return positions


async def has_unplaced(session: Session, store_id: UUID) -> bool:
    """Whether live media are mirrored whose place nobody has looked at yet."""
    table = product_media.c
    query = select(
        exists(
            select(table.id).where(
                table.tenant_id == session.tenant_id,
                table.store_id == store_id,
                table.deleted_at.is_(None),
                table.position.is_(None),
            )
        )
    )
    return bool((await session.execute(query)).scalar_one())
