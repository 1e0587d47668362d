"""What people call things in edits, looked up in the mirror: collections by handle, metafields by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.metafields import MetafieldName
from syncline.apps.commerce.mirror.models import collection, metafield
from syncline.runtime.db.session import Session


@dataclass(frozen=True, slots=True)
class Named:
    """One live collection."""

    id: int
    handle: str
    title: str
    is_by_rule: bool


async def list_named_collections(session: Session, store_id: UUID) -> Sequence[Named]:
    table: Any = collection.c
    query = (
        select(table.id, table.handle, table.title, table.rule_set.is_not(None))
        .where(table.tenant_id == session.tenant_id, table.store_id == store_id, table.deleted_at.is_(None))
        .order_by(table.handle)
    )
    return [Named(*row) for row in await session.execute(query)]


async def list_metafield_types(session: Session, store_id: UUID, name: MetafieldName) -> Sequence[str]:
    """The types that live metafields of this name have in the store."""
    query = (
        select(metafield.c.type)
        .where(
            metafield.c.tenant_id == session.tenant_id,
            metafield.c.store_id == store_id,
            metafield.c.owner_type == name.owner,
            metafield.c.namespace == name.namespace,
            metafield.c.key == name.key,
            metafield.c.deleted_at.is_(None),
        )
        .distinct()
        .order_by(metafield.c.type)
    )
    return (await session.execute(query)).scalars().all()


async def list_metafield_names(session: Session, store_id: UUID) -> Mapping[MetafieldName, Sequence[str]]:
    """Every name that a live metafield of a product or variant has, with its types; the most frequent first."""
    table: Any = metafield.c
    query = (
        select(table.owner_type, table.namespace, table.key, func.array_agg(table.type.distinct()))
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            table.owner_type.in_((Owner.PRODUCT, Owner.VARIANT)),
            table.deleted_at.is_(None),
        )
        .group_by(table.owner_type, table.namespace, table.key)
        .order_by(table.owner_type, func.count().desc(), table.namespace, table.key)
    )
    rows = await session.execute(query)
    return {MetafieldName(owner, namespace, key): tuple(types) for owner, namespace, key, types in rows}
