"""The mirror's side of a sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, any_, delete, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.mirror.models import inventory_level, product, variant
from syncline.apps.commerce.mirror.values import values_of_row
from syncline.apps.commerce.staging.models import change_batch
from syncline.apps.commerce.transfer.matching import MirrorProduct, MirrorVariant
from syncline.runtime.db.session import Session, WriteSession


def _live(session: Session, store_id: UUID, table: Table) -> Any:
    mine = (table.c.tenant_id == session.tenant_id) & (table.c.store_id == store_id)
    return mine & table.c.deleted_at.is_(None)


def _one_of(column: ColumnElement[Any], values: Sequence[object]) -> ColumnElement[bool]:
    """One array and not one parameter each: a statement has 65,535 at most, and thousands take long to write."""
    return column == any_(literal(list(values), ARRAY(column.type)))


async def find_products(
    session: Session, store_id: UUID, handles: Sequence[str], *, currency: str
) -> Mapping[str, MirrorProduct]:
    """The products with these handles, whole, by handle in lower case."""
    query = select(product).where(_live(session, store_id, product), _one_of(product.c.handle, handles))
    products = (await session.execute(query)).mappings().all()
    variants = await _variants(session, store_id, [row["id"] for row in products], currency=currency)
    return {
        row["handle"].lower(): MirrorProduct(
            id=row["id"],
            handle=row["handle"],
            option_names=tuple(option["name"] for option in row["options"]),
            fields=values_of_row(Owner.PRODUCT, dict(row), currency),
            variants=tuple(variants.get(row["id"], ())),
        )
        for row in products
    }


async def _variants(
    session: Session, store_id: UUID, product_ids: Sequence[int], *, currency: str
) -> Mapping[int, list[MirrorVariant]]:
    query = (
        select(variant)
        .where(_live(session, store_id, variant), _one_of(variant.c.product_id, product_ids))
        .order_by(variant.c.product_id, variant.c.position)
    )
    rows = (await session.execute(query)).mappings().all()
    levels = await _levels(session, store_id, [row["inventory_item_id"] for row in rows])
    found: dict[int, list[MirrorVariant]] = {}
    for row in rows:
        found.setdefault(row["product_id"], []).append(
            MirrorVariant(
                id=row["id"],
                item_id=row["inventory_item_id"],
                options=tuple(option["value"] for option in row["selected_options"]),
                fields=values_of_row(Owner.VARIANT, dict(row), currency),
                available=levels.get(row["inventory_item_id"], {}),
            )
        )
    return found


async def _levels(session: Session, store_id: UUID, items: Sequence[int]) -> Mapping[int, dict[int, int | None]]:
    query = select(
        inventory_level.c.inventory_item_id, inventory_level.c.location_id, inventory_level.c.available
    ).where(_live(session, store_id, inventory_level), _one_of(inventory_level.c.inventory_item_id, items))
    found: dict[int, dict[int, int | None]] = {}
    for item, place, available in await session.execute(query):
        found.setdefault(item, {})[place] = available
    return found


async def list_handles(session: Session, store_id: UUID) -> Sequence[str]:
    query = select(product.c.handle).where(_live(session, store_id, product))
    return (await session.execute(query)).scalars().all()


async def drop_batch(session: WriteSession, batch_id: UUID) -> None:
    """A sheet that changes nothing leaves no empty batch behind."""
    query = delete(change_batch).where(change_batch.c.tenant_id == session.tenant_id, change_batch.c.id == batch_id)
    await session.execute(query)
