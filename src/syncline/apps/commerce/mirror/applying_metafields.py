"""Metafields that the store took or deleted, into the mirror."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, update

from syncline.apps.commerce.metafields import Metafield, MetafieldName
from syncline.apps.commerce.mirror.catalog_kinds import METAFIELD
from syncline.apps.commerce.mirror.loading import load_nodes
from syncline.apps.commerce.mirror.models import metafield
from syncline.connectors.shopify import ids
from syncline.connectors.shopify.catalog_nodes import MetafieldNode
from syncline.runtime.db.session import WriteSession

Held = tuple[MetafieldName, int, Metafield | None]
"""The name, the owner's id, and what the store says there is now."""

_OWNER_TYPES = {"product": ids.PRODUCT, "variant": ids.VARIANT}


async def apply_metafields(session: WriteSession, store_id: UUID, writes: Sequence[Held], *, moment: datetime) -> None:
    """`moment` is the present by the store's clock. What is there is loaded like a record that was read; what is not is
    buried, under whatever id the mirror knew it."""
    await load_nodes(
        session,
        store_id,
        METAFIELD,
        [_node(name, owner, held) for name, owner, held in writes if held is not None],
        read_from=moment,
    )
    gone = [
        {"b_owner_type": name.owner, "b_owner_id": owner, "b_namespace": name.namespace, "b_key": name.key}
        for name, owner, held in writes
        if held is None
    ]
    if not gone:
        return
    table = metafield.c
    bury = (
        update(metafield)
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            *(table[name] == bindparam(f"b_{name}") for name in ("owner_type", "owner_id", "namespace", "key")),
            table.deleted_at.is_(None),
        )
        .values(deleted_at=func.greatest(moment, table.source_updated_at))
    )
    await session.execute(bury, gone)


def _node(name: MetafieldName, owner: int, held: Metafield) -> MetafieldNode:
    return MetafieldNode(
        id=ids.gid("Metafield", int(held["id"])),
        namespace=name.namespace,
        key=name.key,
        type=held["type"],
        value=held["value"],
        compareDigest=held["digest"],
        createdAt=held["created_at"],
        updatedAt=held["updated_at"],
        parent_id=ids.gid(_OWNER_TYPES[name.owner], owner),
    )
