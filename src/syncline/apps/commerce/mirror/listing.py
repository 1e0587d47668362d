"""Records of the mirror in pages by key, each with what it needs from its parents to be shown and changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Table,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from syncline.apps.commerce.fields import AnyValue, Owner, Value, fields_of
from syncline.apps.commerce.metafields import MetafieldName
from syncline.apps.commerce.mirror.models import (
    collection,
    collection_membership,
    inventory_level,
    location,
    metafield,
    product,
    product_media,
    variant,
)
from syncline.apps.commerce.mirror.values import values_of_row
from syncline.runtime.db.session import Session

PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Listed:
    """One record: its field values, and in `context` the few of its parents that edits and labels refer to. The
    `product_id` of a collection is 0."""

    owner: Owner
    resource_id: int
    location_id: int | None
    product_id: int
    label: str
    values: dict[str, AnyValue]
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


def _collections() -> Select[Any]:
    return select(collection, collection.c.title.label("product_title"), collection.c.handle.label("product_handle"))


def _images() -> Select[Any]:
    """Each once, with one of the products that show it."""
    of_product = (product.c.store_id == product_media.c.store_id) & (product.c.id == product_media.c.product_id)
    return (
        select(product_media, *_OF_PRODUCT)
        .ext(distinct_on(product_media.c.id))
        .join(product, of_product)
        .where(product.c.tenant_id == product_media.c.tenant_id, product_media.c.type == "image")
    )


_PRODUCTS = (_products, product, (product.c.id,))
_VARIANTS = (_variants, variant, (variant.c.id,))
_SOURCES = {
    Owner.PRODUCT: _PRODUCTS,
    Owner.VARIANT: _VARIANTS,
    Owner.PRODUCT_METAFIELD: _PRODUCTS,
    Owner.VARIANT_METAFIELD: _VARIANTS,
    Owner.COLLECTION_MEMBERSHIP: _PRODUCTS,
    Owner.PRODUCT_IMAGE: _PRODUCTS,
    Owner.PRODUCT_GALLERY: _PRODUCTS,
    Owner.PRODUCT_MEDIA: (_images, product_media, (product_media.c.id,)),
    Owner.COLLECTION: (_collections, collection, (collection.c.id,)),
    Owner.INVENTORY_LEVEL: (
        _levels,
        inventory_level,
        (inventory_level.c.inventory_item_id, inventory_level.c.location_id),
    ),
}


_OF_A_PRODUCT = frozenset(owner for owner, source in _SOURCES.items() if source is _PRODUCTS)
_WITHOUT_SKU = _OF_A_PRODUCT | {Owner.COLLECTION, Owner.PRODUCT_MEDIA}
_READ_APART = _OF_A_PRODUCT - {Owner.PRODUCT} | {Owner.VARIANT_METAFIELD}


def _label(owner: Owner, row: RowMapping) -> str:
    if owner is Owner.COLLECTION:
        return f"{row['title']} [{row['handle']}]"
    if owner in _OF_A_PRODUCT:
        return str(row["product_title"])
    if owner is Owner.PRODUCT_MEDIA:
        return f"{row['product_title']}, image {row['id']}"
    named = str(row["product_title"])
    if row["title"] not in {"", "Default Title"}:
        named += f" / {row['title']}"
    if row["sku"]:
        named += f" [{row['sku']}]"
    return f"{named} @ {row['location']}" if owner is Owner.INVENTORY_LEVEL else named


def _product_of(owner: Owner, row: RowMapping) -> int:
    if owner is Owner.COLLECTION:
        return 0
    return int(row["id"] if owner in _OF_A_PRODUCT else row["product_id"])


def _listed(
    owner: Owner, row: RowMapping, currency: str, more: Sequence[str], fields: Collection[str] | None
) -> Listed:
    context: dict[str, Value] = {"handle": row["product_handle"], "title": row["product_title"]}
    if owner not in _WITHOUT_SKU:
        context["sku"] = row["sku"]
    if owner is Owner.INVENTORY_LEVEL:
        context["location"] = row["location"]
    return Listed(
        owner=owner,
        resource_id=row["inventory_item_id"] if owner is Owner.INVENTORY_LEVEL else row["id"],
        location_id=row["location_id"] if owner is Owner.INVENTORY_LEVEL else None,
        product_id=_product_of(owner, row),
        label=_label(owner, row),
        values={
            **({} if owner in _READ_APART else values_of_row(owner, row, currency, fields)),
            **{name: row[f"more_{place}"] for place, name in enumerate(more)},
        },
        context=context,
    )


def _of_store(session: Session, store_id: UUID, owner: Owner, condition: ColumnElement[bool]) -> Select[Any]:
    source, table, _ = _SOURCES[owner]
    query = source().where(
        table.c.tenant_id == session.tenant_id,
        table.c.store_id == store_id,
        table.c.deleted_at.is_(None),
        condition,
    )
    return query if owner is Owner.COLLECTION else query.where(product.c.deleted_at.is_(None))


def metafield_value(name: MetafieldName) -> ColumnElement[Any]:
    """The metafield of the product or variant in hand, as the value of its field; null where there is none."""
    table = variant if name.owner == Owner.VARIANT else product
    return (
        select(
            func.jsonb_build_object(
                *("type", metafield.c.type, "value", metafield.c.value),
                *("id", cast(metafield.c.id, Text), "digest", metafield.c.compare_digest),
            )
        )
        .where(metafield_of(table, name))
        .order_by(metafield.c.id.desc())
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )


def gallery_value() -> ColumnElement[Any]:
    """What the product in hand shows, in its order: a list of id, type, alt, url and position; null when nothing."""
    table = product_media.c
    names = ("id", "type", "alt", "url", "position")
    medium = func.jsonb_build_object(*(part for name in names for part in (name, table[name])))
    return (
        select(func.jsonb_agg(aggregate_order_by(medium, table.position.nulls_last(), table.id)))
        .where(
            table.tenant_id == product.c.tenant_id,
            table.store_id == product.c.store_id,
            table.product_id == product.c.id,
            table.deleted_at.is_(None),
        )
        .correlate(product)
        .scalar_subquery()
    )


def is_member(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the product in hand is in some live collection that meets `conditions`."""
    return exists(
        select(literal(1))
        .select_from(collection_membership)
        .join(
            collection,
            (collection.c.store_id == collection_membership.c.store_id)
            & (collection.c.id == collection_membership.c.collection_id),
        )
        .where(
            collection_membership.c.tenant_id == product.c.tenant_id,
            collection_membership.c.store_id == product.c.store_id,
            collection_membership.c.product_id == product.c.id,
            collection_membership.c.deleted_at.is_(None),
            collection.c.deleted_at.is_(None),
            *conditions,
        )
        .correlate(product)
    )


def metafield_of(table: Table, name: MetafieldName) -> ColumnElement[bool]:
    """That a row of `metafield` is the live one of this name of a record of `table`."""
    return and_(
        metafield.c.tenant_id == table.c.tenant_id,
        metafield.c.store_id == table.c.store_id,
        metafield.c.owner_type == name.owner,
        metafield.c.owner_id == table.c.id,
        metafield.c.namespace == name.namespace,
        metafield.c.key == name.key,
        metafield.c.deleted_at.is_(None),
    )


async def list_places(session: Session, store_id: UUID, condition: ColumnElement[bool]) -> Sequence[str]:
    """The names of the locations of the live inventory levels that meet `condition`."""
    levels = _of_store(session, store_id, Owner.INVENTORY_LEVEL, condition)
    query = levels.with_only_columns(location.c.name).distinct().order_by(location.c.name)
    return (await session.execute(query)).scalars().all()


async def list_product_ids(
    session: Session, store_id: UUID, owner: Owner, condition: ColumnElement[bool]
) -> Sequence[int]:
    """The products of the live records of `owner` that meet `condition`, in the order of their ids. Not for
    collections."""
    found = _of_store(session, store_id, owner, condition).with_only_columns(product.c.id)
    return (await session.execute(found.distinct().order_by(product.c.id))).scalars().all()


_NAMING = frozenset({"id", "inventory_item_id", "location_id", "product_id", "title", "handle", "sku", "location"})
"""Columns that `_listed` and `_label` may look at, of those that a source has."""


def _columns_for(owner: Owner, query: Select[Any], fields: Collection[str]) -> list[ColumnElement[Any]]:
    wanted = _NAMING | {field.column for field in fields_of(owner) if field.name in fields}
    return [column for name, column in query.selected_columns.items() if name in wanted or name.startswith("product_")]


async def list_records(
    session: Session,
    store_id: UUID,
    owner: Owner,
    condition: ColumnElement[bool],
    *,
    currency: str,
    more: Mapping[str, ColumnElement[Any]] | None = None,
    fields: Collection[str] | None = None,
) -> AsyncIterator[Sequence[Listed]]:
    """Live records of `owner` that meet `condition`, in pages of 5,000 by key: memory does not grow with the store.

    Those of metafields and memberships are the products or variants that have or might have them; `more` says which
    ones their values hold, by any name. `fields` are the only ones whose values are read, without it all are.
    """
    *_, keys = _SOURCES[owner]
    names = list(more or {})
    extra = [column.label(f"more_{place}") for place, column in enumerate((more or {}).values())]
    query = _of_store(session, store_id, owner, condition)
    if fields is not None:
        query = query.with_only_columns(*_columns_for(owner, query, fields))
    query = query.add_columns(*extra).order_by(*keys).limit(PAGE)
    last: tuple[int, ...] | None = None
    while True:
        page = query if last is None else query.where(tuple_(*keys) > tuple_(*last))
        rows = (await session.execute(page)).mappings().all()
        if rows:
            yield [_listed(owner, row, currency, names, fields) for row in rows]
        if len(rows) < PAGE:
            return
        last = tuple(rows[-1][key.name] for key in keys)
