"""Products that were put into collections and taken out of them, into the mirror."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, tuple_, update

from syncline.apps.commerce.mirror.catalog_kinds import MEMBERSHIP
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.loading import load_nodes
from syncline.apps.commerce.mirror.models import collection, collection_membership
from syncline.apps.commerce.mirror.tombstones import bury_by_key
from syncline.connectors.shopify import ids
from syncline.connectors.shopify.catalog_nodes import MembershipNode
from syncline.runtime.db.session import WriteSession


async def apply_memberships(
    session: WriteSession, store_id: UUID, writes: Mapping[Key, bool], *, moment: datetime
) -> None:
    """`writes` says of (collection, product) whether it is in; `moment` is the present by the store's clock. The
    collections' own counts go along."""
    live = await _live(session, store_id, list(writes))
    put_in = [key for key, is_in in writes.items() if is_in and key not in live]
    taken_out = [key for key, is_in in writes.items() if not is_in and key in live]
    await _unbury(session, store_id, put_in)
    await load_nodes(session, store_id, MEMBERSHIP, list(map(_node, put_in)), read_from=moment)
    await bury_by_key(session, store_id, MEMBERSHIP, taken_out, moment=moment)
    counts = Counter(key[0] for key in put_in)
    counts.subtract(key[0] for key in taken_out)
    moved = [{"b_id": number, "b_by": by} for number, by in counts.items() if by]
    if moved:
        table = collection.c
        statement = (
            update(collection)
            .where(table.tenant_id == session.tenant_id, table.store_id == store_id, table.id == bindparam("b_id"))
            .values(products_count=table.products_count + bindparam("b_by"), line_hash=0, content_hash=0)
        )
        await session.execute(statement, moved)


async def _live(session: WriteSession, store_id: UUID, keys: Sequence[Key]) -> set[Key]:
    table = collection_membership.c
    query = select(table.collection_id, table.product_id).where(
        table.tenant_id == session.tenant_id,
        table.store_id == store_id,
        tuple_(table.collection_id, table.product_id).in_(keys),
        table.deleted_at.is_(None),
    )
    return {tuple(row) for row in await session.execute(query)}


async def _unbury(session: WriteSession, store_id: UUID, keys: Sequence[Key]) -> None:
    """The store's answer is newer than any tombstone, though its clock, in whole seconds, may not show it."""
    table = collection_membership.c
    statement = (
        update(collection_membership)
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            tuple_(table.collection_id, table.product_id).in_(keys),
        )
        .values(deleted_at=None)
    )
    await session.execute(statement)


def _node(key: Key) -> MembershipNode:
    return MembershipNode(id=ids.gid(ids.PRODUCT, key[1]), parent_id=ids.gid(ids.COLLECTION, key[0]))
