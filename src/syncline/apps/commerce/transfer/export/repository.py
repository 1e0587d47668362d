"""What an export asks of the mirror. Products come by a cursor on the server, in the order of their ids; what belongs
to them is fetched for some at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, Table, any_, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.fields import Owner, fields_of
from syncline.apps.commerce.metafields import MetafieldName
from syncline.apps.commerce.mirror.models import (
    inventory_item,
    inventory_level,
    location,
    metafield,
    product,
    product_media,
    variant,
)
from syncline.apps.commerce.mirror.values import values_of_row
from syncline.apps.commerce.transfer.export.columns import Spot
from syncline.apps.commerce.transfer.export.records import (
    ImageRecord,
    LevelRecord,
    ProductRecord,
    VariantRecord,
)
from syncline.runtime.db.session import Session

_PRODUCTS = 200
"""Fetched together; a description may have 512 KiB."""
_VARIANTS = 2_000
"""Of products that are worked on together, as far as Shopify's own count tells: one product may have as many."""
_LEVELS = 2_000

_PRODUCT_COLUMNS = (
    *(product.c[field.name] for field in fields_of(Owner.PRODUCT)),
    *(product.c.id, product.c.options, product.c.is_gift_card, product.c.created_at, product.c.published_at),
    *(product.c.source_updated_at, product.c.variants_count),
)
_VARIANT_COLUMNS = (
    *(variant.c[field.name] for field in fields_of(Owner.VARIANT)),
    *(variant.c.id, variant.c.product_id, variant.c.inventory_item_id, variant.c.position),
    variant.c.selected_options,
)
_LEVEL_COLUMNS = (
    *(inventory_level.c.inventory_item_id, inventory_level.c.location_id, inventory_level.c.available),
    *(inventory_level.c.on_hand, inventory_level.c.committed, inventory_level.c.incoming),
)


def _live(session: Session, store_id: UUID, *tables: Table) -> ColumnElement[bool]:
    found: ColumnElement[bool] = literal(True)
    for table in tables:
        mine = (table.c.tenant_id == session.tenant_id) & (table.c.store_id == store_id)
        found = found & mine & table.c.deleted_at.is_(None)
    return found


def _one_of(column: ColumnElement[Any], values: Sequence[int]) -> ColumnElement[bool]:
    return column == any_(literal(list(values), ARRAY(column.type)))


async def holds_images(session: Session, store_id: UUID) -> bool:
    query = select(literal(1)).where(_live(session, store_id, product_media), _IS_IMAGE).limit(1)
    return (await session.execute(query)).first() is not None


async def holds_items(session: Session, store_id: UUID) -> bool:
    query = select(literal(1)).where(_live(session, store_id, inventory_item)).limit(1)
    return (await session.execute(query)).first() is not None


# Shopify's word; a film or a model has no picture of its own that a sheet could name.
_IS_IMAGE = (product_media.c.type == "image") & product_media.c.url.is_not(None)


async def count_products(
    session: Session, store_id: UUID, condition: ColumnElement[bool], *, with_images: bool
) -> tuple[int, int]:
    """How many products meet `condition`, and how many rows they are: one for each variant or image, whichever are
    more, and at least one each."""
    # Asked product by product, over an index: joined, the planner compares all with all while its statistics are older
    # than the first pull.
    variants = (
        select(func.count())
        .where(_live(session, store_id, variant), variant.c.product_id == product.c.id)
        .correlate(product)
        .scalar_subquery()
    )
    images = (
        select(func.count())
        .where(_live(session, store_id, product_media), _IS_IMAGE, product_media.c.product_id == product.c.id)
        .correlate(product)
        .scalar_subquery()
    )
    rows_of = func.greatest(variants, images, 1) if with_images else func.greatest(variants, 1)
    query = (
        select(func.count(), func.coalesce(func.sum(rows_of), 0))
        .select_from(product)
        .where(_live(session, store_id, product), condition)
    )
    products, rows = (await session.execute(query)).one()
    return int(products), int(rows)


async def stream_products(
    session: Session,
    store_id: UUID,
    condition: ColumnElement[bool],
    *,
    currency: str,
    with_levels: bool,
    with_images: bool,
    metafields: Collection[MetafieldName] = (),
) -> AsyncGenerator[Sequence[ProductRecord]]:
    """The products that meet `condition`, whole, some at a time; of their metafields and their variants' those named in
    `metafields`."""
    query = select(*_PRODUCT_COLUMNS).where(_live(session, store_id, product), condition).order_by(product.c.id)
    async with _streamed(session, query, _PRODUCTS) as pages:
        async for rows in pages:
            for some in _portions(rows):
                records = {row["id"]: _product(row, currency) for row in some}
                await _add_variants(session, store_id, records, currency=currency, with_levels=with_levels)
                if with_images:
                    await _add_images(session, store_id, records)
                await _add_metafields(session, store_id, records, metafields)
                yield list(records.values())


@asynccontextmanager
async def _streamed(
    session: Session, query: Select[Any], size: int
) -> AsyncIterator[AsyncIterator[Sequence[RowMapping]]]:
    """Pages of the query's rows. The cursor on the server ends with the block, however it ends."""
    result = await session.stream(query, execution_options={"yield_per": size})
    try:
        yield result.mappings().partitions(size)
    finally:
        await result.close()


def _portions(rows: Sequence[RowMapping]) -> Iterator[list[RowMapping]]:
    """Some of the rows at a time, so that together they have few variants."""
    some: list[RowMapping] = []
    variants = 0
    for row in rows:
        some.append(row)
        variants += row["variants_count"] or 1
        if variants >= _VARIANTS:
            yield some
            some, variants = [], 0
    if some:
        yield some


def _product(row: RowMapping, currency: str) -> ProductRecord:
    return ProductRecord(
        id=row["id"],
        options=tuple(option["name"] for option in row["options"]),
        fields=values_of_row(Owner.PRODUCT, dict(row), currency),
        is_gift_card=row["is_gift_card"],
        created_at=row["created_at"],
        updated_at=row["source_updated_at"],
        published_at=row["published_at"],
    )


def _variant(row: Mapping[str, Any], currency: str) -> VariantRecord:
    return VariantRecord(
        id=row["id"],
        item_id=row["inventory_item_id"],
        position=row["position"],
        options=tuple(option["value"] for option in row["selected_options"]),
        fields=values_of_row(Owner.VARIANT, row, currency),
    )


async def _add_variants(
    session: Session, store_id: UUID, products: Mapping[int, ProductRecord], *, currency: str, with_levels: bool
) -> None:
    query = (
        select(*_VARIANT_COLUMNS)
        .where(_live(session, store_id, variant), _one_of(variant.c.product_id, list(products)))
        .order_by(variant.c.product_id, variant.c.position, variant.c.id)
    )
    items: dict[int, VariantRecord] = {}
    for row in (await session.execute(query)).mappings():
        made = items[row["inventory_item_id"]] = _variant(dict(row), currency)
        products[row["product_id"]].variants.append(made)
    if with_levels:
        await _add_levels(session, store_id, items)


_AT_LOCATION = (location.c.store_id == inventory_level.c.store_id) & (location.c.id == inventory_level.c.location_id)


async def _add_levels(session: Session, store_id: UUID, items: Mapping[int, VariantRecord]) -> None:
    query = (
        select(*_LEVEL_COLUMNS, location.c.name)
        .join(location, _AT_LOCATION)
        .where(
            _live(session, store_id, inventory_level, location),
            location.c.is_active,
            _one_of(inventory_level.c.inventory_item_id, list(items)),
        )
        .order_by(inventory_level.c.inventory_item_id, inventory_level.c.location_id)
    )
    for row in (await session.execute(query)).mappings():
        items[row["inventory_item_id"]].levels.append(_level(row))


async def _add_images(session: Session, store_id: UUID, products: Mapping[int, ProductRecord]) -> None:
    query = (
        select(product_media.c.product_id, product_media.c.id, product_media.c.url, product_media.c.alt)
        .where(_live(session, store_id, product_media), _IS_IMAGE, _one_of(product_media.c.product_id, list(products)))
        .order_by(product_media.c.product_id, product_media.c.id)
    )
    for number, image, url, alt in await session.execute(query):
        products[number].images.append(ImageRecord(image, url, alt))


async def _add_metafields(
    session: Session, store_id: UUID, products: Mapping[int, ProductRecord], names: Collection[MetafieldName]
) -> None:
    variants = {variant.id: variant for one in products.values() for variant in one.variants}
    holders: Mapping[str, Mapping[int, ProductRecord | VariantRecord]] = {
        Owner.PRODUCT: products,
        Owner.VARIANT: variants,
    }
    for owner, records in holders.items():
        wanted = {(name.namespace, name.key): name.field for name in names if name.owner == owner}
        if not wanted or not records:
            continue
        table = metafield.c
        query = (
            select(table.owner_id, table.namespace, table.key, table.value)
            .where(
                _live(session, store_id, metafield),
                table.owner_type == owner,
                _one_of(table.owner_id, list(records)),
                tuple_(table.namespace, table.key).in_(list(wanted)),
            )
            .order_by(table.id)
        )
        for number, namespace, key, value in await session.execute(query):
            records[number].metafields[wanted[namespace, key]] = value


def _level(row: RowMapping) -> LevelRecord:
    return LevelRecord(
        location_id=row["location_id"],
        location=row["name"],
        available=row["available"],
        on_hand=row["on_hand"],
        committed=row["committed"],
        incoming=row["incoming"],
    )


def _of_levels(session: Session, store_id: UUID, condition: ColumnElement[bool], *columns: Any) -> Any:
    of_variant = (variant.c.store_id == inventory_level.c.store_id) & (
        variant.c.inventory_item_id == inventory_level.c.inventory_item_id
    )
    of_product = (product.c.store_id == variant.c.store_id) & (product.c.id == variant.c.product_id)
    return (
        select(*columns)
        .select_from(inventory_level)
        .join(location, _AT_LOCATION)
        .join(variant, of_variant)
        .join(product, of_product)
        .where(_live(session, store_id, inventory_level, location, variant, product), location.c.is_active, condition)
    )


async def count_levels(session: Session, store_id: UUID, condition: ColumnElement[bool]) -> tuple[int, int]:
    """How many products have stock that meets `condition`, and at how many places."""
    query = _of_levels(session, store_id, condition, func.count(product.c.id.distinct()), func.count())
    products, rows = (await session.execute(query)).one()
    return int(products), int(rows)


_PREFIX = "of_product_"


async def stream_levels(
    session: Session, store_id: UUID, condition: ColumnElement[bool], *, currency: str
) -> AsyncGenerator[Sequence[Spot]]:
    """Stock that meets `condition`, by product, variant and location."""
    shown = [column.label(f"{_PREFIX}{column.name}") for column in (product.c.id, product.c.handle, product.c.title)]
    names = product.c.options.label(f"{_PREFIX}options")
    of_item = (inventory_item.c.store_id == inventory_level.c.store_id) & (
        inventory_item.c.id == inventory_level.c.inventory_item_id
    )
    customs = (inventory_item.c.harmonized_system_code, inventory_item.c.country_of_origin)
    found = _of_levels(
        *(session, store_id, condition),
        *(*_VARIANT_COLUMNS, *_LEVEL_COLUMNS[1:], location.c.name, *shown, names, *customs),
    )
    query = found.outerjoin(inventory_item, of_item).order_by(
        variant.c.product_id, variant.c.position, variant.c.id, location.c.id
    )
    async with _streamed(session, query, _LEVELS) as pages:
        async for rows in pages:
            yield [_spot(row, currency) for row in rows]


def _spot(row: RowMapping, currency: str) -> Spot:
    of = ProductRecord(
        id=row[f"{_PREFIX}id"],
        options=tuple(option["name"] for option in row[f"{_PREFIX}options"]),
        fields={"handle": row[f"{_PREFIX}handle"], "title": row[f"{_PREFIX}title"]},
        is_gift_card=False,
        created_at=None,
        updated_at=None,
        published_at=None,
    )
    found = _variant(dict(row), currency)
    found.hs_code, found.country_of_origin = row["harmonized_system_code"], row["country_of_origin"]
    return Spot(of, found, is_first=True, level=_level(row))
