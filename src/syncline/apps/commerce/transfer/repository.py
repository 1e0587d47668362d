"""The mirror's side of a sheet."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, any_, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.fields import FIELDS, AnyValue, Owner, Value, canonical, fields_of
from syncline.apps.commerce.gallery import is_shown_from
from syncline.apps.commerce.metafields import MetafieldName, find_name
from syncline.apps.commerce.mirror.models import inventory_level, metafield, product, product_media, variant
from syncline.apps.commerce.transfer.alike import unlike_query
from syncline.apps.commerce.transfer.comparing import Question
from syncline.apps.commerce.transfer.matching import MirrorProduct, MirrorVariant
from syncline.runtime.db.session import Session


def _live(session: Session, store_id: UUID, table: Table) -> Any:
    mine = (table.c.tenant_id == session.tenant_id) & (table.c.store_id == store_id)
    return mine & table.c.deleted_at.is_(None)


def _one_of(column: ColumnElement[Any], values: Sequence[object]) -> ColumnElement[bool]:
    """One array and not one parameter each: a statement has 65,535 at most, and thousands take long to write."""
    return column == any_(literal(list(values), ARRAY(column.type)))


async def find_unlike(
    session: Session, store: Store, question: Question, *, places: Mapping[str, int]
) -> Collection[int]:
    """The numbers of the products in a question that the mirror does not hold just as the sheet says."""
    driver = await session.driver()
    given = {
        "records": question.records,
        "store": store.id,
        "tenant": session.tenant_id,
        "place": question.shape.place,
        "places": json.dumps({str(number): name for name, number in places.items()}),
    }
    cursor = await driver.execute(unlike_query(question.shape, store.currency), given)
    found = await cursor.fetchone()
    return frozenset(found[0]) if found else frozenset()


async def find_products(
    session: Session, store: Store, handles: Sequence[str], *, fields: Collection[str]
) -> Mapping[str, MirrorProduct]:
    """The products with these handles, by handle in lower case, with all their variants and of the fields these."""
    wanted = {"title", *fields}
    names = [field.name for field in fields_of(Owner.PRODUCT) if field.name in wanted]
    columns = [product.c[FIELDS[name].column] for name in names]
    query = select(product.c.id, product.c.handle, product.c.options, *columns).where(
        _live(session, store.id, product), _one_of(product.c.handle, handles)
    )
    products = (await session.execute(query)).all()
    numbers = [row[0] for row in products]
    variants = await _variants(session, store, numbers, fields=fields)
    held = await _metafields(session, store.id, Owner.PRODUCT, numbers, fields)
    images = await _images(session, store.id, numbers) if "images" in fields else {}
    return {
        handle.lower(): MirrorProduct(
            id=number,
            handle=handle,
            option_names=tuple(option["name"] for option in options),
            fields=_values(names, values, store.currency),
            variants=tuple(variants.get(number, ())),
            metafields=held.get(number, {}),
            images=tuple(images.get(number, ())),
        )
        for number, handle, options, *values in products
    }


async def find_unshown(
    session: Session, store_id: UUID, named: Mapping[int, tuple[str, Sequence[str]]]
) -> frozenset[int]:
    """Which of these show not all images that are named: each a handle, in lower case, and addresses."""
    if not named:
        return frozenset()
    query = select(product.c.id, product.c.handle).where(
        _live(session, store_id, product), _one_of(product.c.handle, [handle for handle, _ in named.values()])
    )
    numbers = {handle.lower(): number for number, handle in await session.execute(query)}
    shown = await _images(session, store_id, list(numbers.values()))
    return frozenset(
        at
        for at, (handle, urls) in named.items()
        if not all(is_shown_from(url, shown.get(numbers.get(handle, 0), ())) for url in urls)
    )


async def _images(session: Session, store_id: UUID, numbers: Sequence[int]) -> Mapping[int, list[str]]:
    """The addresses of all media by product, blank where there is none."""
    table = product_media.c
    query = (
        select(table.product_id, table.url)
        .where(_live(session, store_id, product_media), _one_of(table.product_id, numbers))
        .order_by(table.id)
    )
    found: dict[int, list[str]] = {}
    for number, url in await session.execute(query):
        found.setdefault(number, []).append(url or "")
    return found


def _values(names: Sequence[str], values: Sequence[Any], currency: str) -> dict[str, Value]:
    return {name: canonical(name, value, currency) for name, value in zip(names, values, strict=True)}


async def _variants(
    session: Session, store: Store, product_ids: Sequence[int], *, fields: Collection[str]
) -> Mapping[int, list[MirrorVariant]]:
    names = [field.name for field in fields_of(Owner.VARIANT) if field.name in fields]
    columns = [variant.c[FIELDS[name].column] for name in names]
    query = (
        select(variant.c.product_id, variant.c.id, variant.c.inventory_item_id, variant.c.selected_options, *columns)
        .where(_live(session, store.id, variant), _one_of(variant.c.product_id, product_ids))
        .order_by(variant.c.product_id, variant.c.position)
    )
    rows = (await session.execute(query)).all()
    levels = await _levels(session, store.id, [row[2] for row in rows]) if "available" in fields else {}
    held = await _metafields(session, store.id, Owner.VARIANT, [row[1] for row in rows], fields)
    found: dict[int, list[MirrorVariant]] = {}
    for owner, number, item, options, *values in rows:
        found.setdefault(owner, []).append(
            MirrorVariant(
                id=number,
                item_id=item,
                options=tuple(option["value"] for option in options),
                fields=_values(names, values, store.currency),
                available=levels.get(item, {}),
                metafields=held.get(number, {}),
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


async def _metafields(
    session: Session, store_id: UUID, owner: Owner, numbers: Sequence[int], fields: Collection[str]
) -> Mapping[int, dict[str, AnyValue]]:
    """Those of `fields` that these records have, by record and field."""
    names = [name for name in map(find_name, fields) if name is not None and name.owner == owner]
    if not names or not numbers:
        return {}
    table = metafield.c
    query = (
        select(table.owner_id, table.namespace, table.key, table.type, table.value, table.id, table.compare_digest)
        .where(
            _live(session, store_id, metafield),
            table.owner_type == owner,
            _one_of(table.owner_id, numbers),
            tuple_(table.namespace, table.key).in_([(name.namespace, name.key) for name in names]),
        )
        .order_by(table.id)
    )
    found: dict[int, dict[str, AnyValue]] = {}
    for number, namespace, key, kind, value, its, digest in await session.execute(query):
        field = MetafieldName(owner.value, namespace, key).field
        found.setdefault(number, {})[field] = {"type": kind, "value": value, "id": str(its), "digest": digest}
    return found


async def list_handles(session: Session, store_id: UUID) -> Sequence[str]:
    query = select(product.c.handle).where(_live(session, store_id, product))
    return (await session.execute(query)).scalars().all()
