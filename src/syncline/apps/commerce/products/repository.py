"""Whole products as the mirror has them: what is staged when one is to be deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.contract import Store
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
from syncline.apps.commerce.mirror.values import values_of_row
from syncline.apps.commerce.whole_product import WholeProduct
from syncline.runtime.db.session import Session


def _live(session: Session, store_id: UUID, table: Table) -> ColumnElement[bool]:
    mine = (table.c.tenant_id == session.tenant_id) & (table.c.store_id == store_id)
    found: ColumnElement[bool] = mine & table.c.deleted_at.is_(None)
    return found


def _one_of(column: ColumnElement[Any], values: Sequence[object]) -> ColumnElement[bool]:
    return column == any_(literal(list(values), ARRAY(column.type)))


async def list_taken(session: Session, store_id: UUID, handles: Sequence[str]) -> frozenset[str]:
    """Those of the handles that a product of the mirror has."""
    query = select(product.c.handle).where(_live(session, store_id, product), _one_of(product.c.handle, handles))
    return frozenset((await session.execute(query)).scalars())


async def list_numbers(session: Session, store_id: UUID, condition: ColumnElement[bool]) -> Sequence[int]:
    query = select(product.c.id).where(_live(session, store_id, product), condition).order_by(product.c.id)
    return (await session.execute(query)).scalars().all()


async def read_wholes(session: Session, store: Store, numbers: Sequence[int]) -> Mapping[int, WholeProduct]:
    """With variants, stock, pictures, metafields and collections filled by hand, as far as the mirror holds them."""
    query = select(product).where(_live(session, store.id, product), _one_of(product.c.id, numbers))
    found: dict[int, WholeProduct] = {}
    for row in (await session.execute(query)).mappings():
        found[row["id"]] = {
            "id": row["id"],
            **values_of_row(Owner.PRODUCT, dict(row), store.currency),
            "options": [{"name": one["name"], "values": one["values"]} for one in row["options"]],
            "variants": [],
            "media": [],
            "metafields": {},
            "collections": [],
        }
    variants = await _variants(session, store, found)
    await _levels(session, store.id, variants)
    await _media(session, store.id, found)
    await _collections(session, store.id, found)
    by_number = {one["id"]: one for one in variants.values()}
    await _metafields(session, store.id, Owner.PRODUCT, found)
    await _metafields(session, store.id, Owner.VARIANT, by_number)
    return found


async def _variants(session: Session, store: Store, products: Mapping[int, WholeProduct]) -> dict[int, dict[str, Any]]:
    """By inventory item."""
    query = (
        select(variant)
        .where(_live(session, store.id, variant), _one_of(variant.c.product_id, list(products)))
        .order_by(variant.c.product_id, variant.c.position, variant.c.id)
    )
    by_item: dict[int, dict[str, Any]] = {}
    for row in (await session.execute(query)).mappings():
        made = {
            "id": row["id"],
            "options": [one["value"] for one in row["selected_options"]],
            **values_of_row(Owner.VARIANT, dict(row), store.currency),
            "levels": [],
            "metafields": {},
        }
        products[row["product_id"]]["variants"].append(made)
        by_item[row["inventory_item_id"]] = made
    return by_item


async def _levels(session: Session, store_id: UUID, by_item: Mapping[int, dict[str, Any]]) -> None:
    at = (location.c.store_id == inventory_level.c.store_id) & (location.c.id == inventory_level.c.location_id)
    query = (
        select(
            inventory_level.c.inventory_item_id,
            inventory_level.c.location_id,
            location.c.name,
            inventory_level.c.available,
        )
        .join(location, at)
        .where(
            _live(session, store_id, inventory_level),
            location.c.is_active,
            _one_of(inventory_level.c.inventory_item_id, list(by_item)),
        )
        .order_by(inventory_level.c.inventory_item_id, inventory_level.c.location_id)
    )
    for item, place, name, available in await session.execute(query):
        by_item[item]["levels"].append({"location_id": place, "location": name, "available": available})


async def _media(session: Session, store_id: UUID, products: Mapping[int, WholeProduct]) -> None:
    query = (
        select(product_media.c.product_id, product_media.c.url, product_media.c.alt)
        .where(
            _live(session, store_id, product_media),
            product_media.c.type == "image",
            product_media.c.url.is_not(None),
            _one_of(product_media.c.product_id, list(products)),
        )
        .order_by(product_media.c.product_id, product_media.c.position, product_media.c.id)
    )
    for number, url, alt in await session.execute(query):
        products[number]["media"].append({"url": url, "alt": alt})


async def _collections(session: Session, store_id: UUID, products: Mapping[int, WholeProduct]) -> None:
    """Those filled by hand; the others take and leave their products by themselves."""
    held = collection_membership.c
    query = (
        select(held.product_id, held.collection_id)
        .join(collection, (collection.c.store_id == held.store_id) & (collection.c.id == held.collection_id))
        .where(
            _live(session, store_id, collection_membership),
            collection.c.deleted_at.is_(None),
            collection.c.rule_set.is_(None),
            _one_of(held.product_id, list(products)),
        )
        .order_by(held.product_id, held.collection_id)
    )
    for number, one in await session.execute(query):
        products[number]["collections"].append(one)


async def _metafields(session: Session, store_id: UUID, owner: Owner, holders: Mapping[int, dict[str, Any]]) -> None:
    table = metafield.c
    query = (
        select(table.owner_id, table.namespace, table.key, table.type, table.value)
        .where(_live(session, store_id, metafield), table.owner_type == owner, _one_of(table.owner_id, list(holders)))
        .order_by(table.id)
    )
    for number, namespace, key, kind, value in await session.execute(query):
        holders[number]["metafields"][f"{namespace}.{key}"] = {"type": kind, "value": value}
