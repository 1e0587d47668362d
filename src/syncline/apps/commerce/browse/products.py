"""Products and stock out of the mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, RowMapping, Select, and_, cast, func, select, tuple_

from syncline.apps.commerce.browse.reading import Shelf, is_live, page_of, rows_of, was_made
from syncline.apps.commerce.browse_contract import (
    BrowseQuery,
    ListedProduct,
    ProductRecord,
    ProductVariant,
    StockLine,
)
from syncline.apps.commerce.fields import Owner
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
from syncline.apps.commerce.staging.selection import mirror_condition, parse_where
from syncline.kernel.paging import Page, PageRequest
from syncline.runtime.db.session import Session

_IMAGE = ("id", "type", "alt", "url", "width", "height", "position")


async def list_products(session: Session, shelf: Shelf, query: BrowseQuery, page: PageRequest) -> Page[ListedProduct]:
    chosen = select(product).where(
        is_live(session, product, shelf),
        was_made(query, product.c.created_at),
        mirror_condition(Owner.PRODUCT, parse_where(query.search)),
    )
    rows, total = await page_of(session, chosen, (product.c.store_id, product.c.id), page)
    sums = await _sums(session, [(row["store_id"], row["id"]) for row in rows])
    return Page([_listed(row, shelf, sums) for row in rows], total, page.page, page.limit)


def _listed(row: RowMapping, shelf: Shelf, sums: Mapping[tuple[UUID, int], Mapping[str, Any]]) -> ListedProduct:
    of_it = sums.get((row["store_id"], row["id"]), {})
    return ListedProduct(
        id=row["id"],
        store=shelf.names[row["store_id"]],
        handle=row["handle"],
        title=row["title"],
        vendor=row["vendor"],
        product_type=row["product_type"],
        status=row["status"],
        tags=row["tags"],
        variants_count=of_it.get("variants", 0),
        min_price=of_it.get("min_price"),
        max_price=of_it.get("max_price"),
        available=of_it.get("available"),
        created_at=row["created_at"],
        updated_at=row["source_updated_at"],
    )


async def _sums(session: Session, keys: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], Mapping[str, Any]]:
    """Prices and stock of the products of one page."""
    if not keys:
        return {}
    stock = (
        select(func.sum(inventory_level.c.available))
        .where(
            inventory_level.c.tenant_id == variant.c.tenant_id,
            inventory_level.c.store_id == variant.c.store_id,
            inventory_level.c.inventory_item_id == variant.c.inventory_item_id,
            inventory_level.c.deleted_at.is_(None),
        )
        .correlate(variant)
        .scalar_subquery()
    )
    query = (
        select(
            variant.c.store_id,
            variant.c.product_id,
            func.count().label("variants"),
            func.min(variant.c.price).label("min_price"),
            func.max(variant.c.price).label("max_price"),
            cast(func.sum(stock), BigInteger).label("available"),
        )
        .where(
            variant.c.tenant_id == session.tenant_id,
            tuple_(variant.c.store_id, variant.c.product_id).in_(keys),
            variant.c.deleted_at.is_(None),
        )
        .group_by(variant.c.store_id, variant.c.product_id)
    )
    rows = (await session.execute(query)).mappings()
    return {(row["store_id"], row["product_id"]): {**row} for row in rows}


async def find_products(session: Session, shelf: Shelf, product_id: int) -> Sequence[RowMapping]:
    """One for each store that has it."""
    query = select(product).where(is_live(session, product, shelf), product.c.id == product_id)
    return (await session.execute(query)).mappings().all()


async def product_record(session: Session, shelf: Shelf, row: RowMapping) -> ProductRecord:
    store_id, number = row["store_id"], row["id"]
    return ProductRecord(
        id=number,
        store=shelf.names[store_id],
        **{name: row[name] for name in ("handle", "title", "description_html", "vendor", "product_type", "status")},
        **{name: row[name] for name in ("tags", "seo_title", "seo_description", "options")},
        **{name: row[name] for name in ("created_at", "published_at")},
        updated_at=row["source_updated_at"],
        variants=await _variants(session, store_id, number),
        images=[
            {name: image[name] for name in _IMAGE}
            for image in await rows_of(
                session,
                product_media,
                product_media.c.store_id == store_id,
                product_media.c.product_id == number,
                product_media.c.deleted_at.is_(None),
                order=(product_media.c.position.nulls_last(), product_media.c.id),
            )
        ],
        metafields={
            f"{one['namespace']}.{one['key']}": one["value"]
            for one in await rows_of(
                session,
                metafield,
                metafield.c.store_id == store_id,
                metafield.c.owner_type == Owner.PRODUCT,
                metafield.c.owner_id == number,
                metafield.c.deleted_at.is_(None),
                order=(metafield.c.namespace, metafield.c.key),
            )
        },
        collections=await _collections(session, store_id, number),
    )


async def _collections(session: Session, store_id: UUID, product_id: int) -> Sequence[str]:
    query = (
        select(collection.c.handle)
        .join(
            collection_membership,
            and_(
                collection_membership.c.store_id == collection.c.store_id,
                collection_membership.c.collection_id == collection.c.id,
            ),
        )
        .where(
            collection.c.tenant_id == session.tenant_id,
            collection_membership.c.store_id == store_id,
            collection_membership.c.product_id == product_id,
            collection_membership.c.deleted_at.is_(None),
            collection.c.deleted_at.is_(None),
        )
        .order_by(collection.c.handle)
    )
    return (await session.execute(query)).scalars().all()


async def _variants(session: Session, store_id: UUID, product_id: int) -> Sequence[ProductVariant]:
    levels: dict[int, dict[str, int | None]] = {}
    shelf = Shelf({store_id: ""})
    for level in (await session.execute(_levels(session, shelf).where(variant.c.product_id == product_id))).mappings():
        levels.setdefault(level["inventory_item_id"], {})[level["location"]] = level["available"]
    rows = await rows_of(
        session,
        variant,
        variant.c.store_id == store_id,
        variant.c.product_id == product_id,
        variant.c.deleted_at.is_(None),
        order=(variant.c.position, variant.c.id),
    )
    names = ("id", "title", "sku", "barcode", "price", "compare_at_price", "cost", "position", "inventory_item_id")
    return [
        ProductVariant(**{name: row[name] for name in names}, available=levels.get(row["inventory_item_id"], {}))
        for row in rows
    ]


def _levels(session: Session, shelf: Shelf) -> Select[Any]:
    """Stock at active locations of variants of products that are there."""
    return (
        select(
            inventory_level,
            variant.c.id.label("variant_id"),
            variant.c.product_id,
            variant.c.title,
            variant.c.sku,
            product.c.title.label("product_title"),
            location.c.name.label("location"),
        )
        .join(
            variant,
            and_(
                variant.c.store_id == inventory_level.c.store_id,
                variant.c.inventory_item_id == inventory_level.c.inventory_item_id,
            ),
        )
        .join(product, and_(product.c.store_id == variant.c.store_id, product.c.id == variant.c.product_id))
        .join(
            location,
            and_(location.c.store_id == inventory_level.c.store_id, location.c.id == inventory_level.c.location_id),
        )
        .where(
            is_live(session, inventory_level, shelf),
            variant.c.deleted_at.is_(None),
            product.c.deleted_at.is_(None),
            location.c.deleted_at.is_(None),
            location.c.is_active,
        )
    )


async def list_stock(session: Session, shelf: Shelf, query: BrowseQuery, page: PageRequest) -> Page[StockLine]:
    chosen = _levels(session, shelf).where(
        was_made(query, product.c.created_at), mirror_condition(Owner.INVENTORY_LEVEL, parse_where(query.search))
    )
    key = (inventory_level.c.store_id, inventory_level.c.inventory_item_id, inventory_level.c.location_id)
    rows, total = await page_of(session, chosen, key, page)
    return Page([_stock_line(row, shelf) for row in rows], total, page.page, page.limit)


def _stock_line(row: RowMapping, shelf: Shelf) -> StockLine:
    is_only = row["title"] in {"", "Default Title"}
    numbers = ("product_id", "variant_id", "inventory_item_id", "location_id")
    return StockLine(
        store=shelf.names[row["store_id"]],
        **{name: row[name] for name in (*numbers, "available", "on_hand", "committed", "incoming")},
        location=row["location"],
        label=row["product_title"] if is_only else f"{row['product_title']} / {row['title']}",
        sku=row["sku"],
        updated_at=row["source_updated_at"],
    )
