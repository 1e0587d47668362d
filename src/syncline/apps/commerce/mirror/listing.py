"""Records of the mirror in pages by key, each with what it needs from its parents to be shown and changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, select, tuple_

from syncline.apps.commerce.fields import Owner, Value
from syncline.apps.commerce.mirror.models import inventory_level, location, product, variant
from syncline.apps.commerce.mirror.values import values_of_row
from syncline.runtime.db.session import Session

PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Listed:
    """One record. `state` is its field values with the few of its parents that edits and labels refer to."""

    owner: Owner
    resource_id: int
    location_id: int | None
    product_id: int
    label: str
    values: dict[str, Value]
    context: dict[str, Value]


_OF_PRODUCT = (product.c.title.label("product_title"), product.c.handle.label("product_handle"))
_WITH_PRODUCT = (product.c.store_id == variant.c.store_id) & (product.c.id == variant.c.product_id)


def _products() -> Select[Any]:
    return select(product, *_OF_PRODUCT)


def _variants() -> Select[Any]:
    return select(variant, *_OF_PRODUCT).join(product, _WITH_PRODUCT)


def _levels() -> Select[Any]:
    of_variant = (variant.c.store_id == inventory_level.c.store_id) & (
        variant.c.inventory_item_id == inventory_level.c.inventory_item_id
    )
    at_location = (location.c.store_id == inventory_level.c.store_id) & (location.c.id == inventory_level.c.location_id)
    return (
        select(
            inventory_level,
            variant.c.product_id,
            variant.c.title,
            variant.c.sku,
            location.c.name.label("location"),
            *_OF_PRODUCT,
        )
        .join(variant, of_variant)
        .join(location, at_location)
        .join(product, _WITH_PRODUCT)
        .where(variant.c.deleted_at.is_(None), location.c.deleted_at.is_(None), location.c.is_active)
    )


_SOURCES = {
    Owner.PRODUCT: (_products, product, (product.c.id,)),
    Owner.VARIANT: (_variants, variant, (variant.c.id,)),
    Owner.INVENTORY_LEVEL: (
        _levels,
        inventory_level,
        (inventory_level.c.inventory_item_id, inventory_level.c.location_id),
    ),
}


def _label(owner: Owner, row: RowMapping) -> str:
    if owner is Owner.PRODUCT:
        return str(row["product_title"])
    named = str(row["product_title"])
    if row["title"] not in {"", "Default Title"}:
        named += f" / {row['title']}"
    if row["sku"]:
        named += f" [{row['sku']}]"
    return f"{named} @ {row['location']}" if owner is Owner.INVENTORY_LEVEL else named


def _listed(owner: Owner, row: RowMapping, currency: str) -> Listed:
    context: dict[str, Value] = {"handle": row["product_handle"], "title": row["product_title"]}
    if owner is not Owner.PRODUCT:
        context["sku"] = row["sku"]
    if owner is Owner.INVENTORY_LEVEL:
        context["location"] = row["location"]
    return Listed(
        owner=owner,
        resource_id=row["inventory_item_id"] if owner is Owner.INVENTORY_LEVEL else row["id"],
        location_id=row["location_id"] if owner is Owner.INVENTORY_LEVEL else None,
        product_id=row["id"] if owner is Owner.PRODUCT else row["product_id"],
        label=_label(owner, row),
        values=values_of_row(owner, dict(row), currency),
        context=context,
    )


def _of_store(session: Session, store_id: UUID, owner: Owner, condition: ColumnElement[bool]) -> Select[Any]:
    source, table, _ = _SOURCES[owner]
    return source().where(
        table.c.tenant_id == session.tenant_id,
        table.c.store_id == store_id,
        table.c.deleted_at.is_(None),
        product.c.deleted_at.is_(None),
        condition,
    )


async def list_places(session: Session, store_id: UUID, condition: ColumnElement[bool]) -> Sequence[str]:
    """The names of the locations of the live inventory levels that meet `condition`."""
    levels = _of_store(session, store_id, Owner.INVENTORY_LEVEL, condition)
    query = levels.with_only_columns(location.c.name).distinct().order_by(location.c.name)
    return (await session.execute(query)).scalars().all()


async def list_records(
    session: Session, store_id: UUID, owner: Owner, condition: ColumnElement[bool], *, currency: str
) -> AsyncIterator[Sequence[Listed]]:
    """Live records of `owner` that meet `condition`, in pages of 5,000 by key: memory does not grow with the store."""
    *_, keys = _SOURCES[owner]
    query = _of_store(session, store_id, owner, condition).order_by(*keys).limit(PAGE)
    last: tuple[int, ...] | None = None
    while True:
        page = query if last is None else query.where(tuple_(*keys) > tuple_(*last))
        rows = (await session.execute(page)).mappings().all()
        if rows:
            yield [_listed(owner, row, currency) for row in rows]
        if len(rows) < PAGE:
            return
        last = tuple(rows[-1][key.name] for key in keys)
