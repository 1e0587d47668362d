"""Products that were deleted, and all that hung on them, out of the mirror at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg import sql

from syncline.apps.commerce.mirror.kind import Kind, Parent
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.tombstones import bury_by_key
from syncline.runtime.db.session import Session, WriteSession

_ROOT = "product"


async def bury_products(session: WriteSession, store_id: UUID, numbers: Sequence[int], *, moment: datetime) -> None:
    """`moment` is the present by the store's clock. What of the store counts its products learns it from the next
    pull."""
    keys: dict[str, list[tuple[int, ...]]] = {_ROOT: [(number,) for number in numbers]}
    for kind in KINDS.values():
        for parent in kind.parents:
            if parent.kind in keys:
                found = await _children(session, store_id, kind, parent, keys[parent.kind])
                keys.setdefault(kind.name, []).extend(found)
    for name, gone in keys.items():
        await bury_by_key(session, store_id, KINDS[name], sorted(set(gone)), moment=moment)


async def _children(
    session: Session, store_id: UUID, kind: Kind, parent: Parent, parents: Sequence[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """The keys of the live records that hang on these parents."""
    query = sql.SQL(
        "select {names} from {table} m where m.store_id = %(store)s and m.tenant_id = %(tenant)s"
        " and m.deleted_at is null and {only} and m.{column} in (select p.{matches} from {above} p"
        " where p.store_id = %(store)s and p.tenant_id = %(tenant)s and p.id = any(%(parents)s))"
    ).format(
        names=sql.SQL(", ").join(sql.Identifier("m", name) for name in kind.key),
        table=sql.Identifier("commerce", kind.table.name),
        only=sql.SQL(parent.only or "true"),
        column=sql.Identifier(parent.column),
        matches=sql.Identifier(parent.matches),
        above=sql.Identifier("commerce", KINDS[parent.kind].table.name),
    )
    driver = await session.driver()
    given = {"store": store_id, "tenant": session.tenant_id, "parents": [key[0] for key in parents]}
    return list(await (await driver.execute(query, given)).fetchall())
