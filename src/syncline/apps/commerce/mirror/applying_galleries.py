"""Media that were added, taken away and put into order, into the mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import select, tuple_, update

from syncline.apps.commerce.fields import AnyValue
from syncline.apps.commerce.gallery import Medium, is_shown, ordered
from syncline.apps.commerce.mirror.catalog_kinds import MEDIA
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.loading import load_nodes
from syncline.apps.commerce.mirror.models import product_media
from syncline.apps.commerce.mirror.positions import place
from syncline.apps.commerce.mirror.tombstones import bury_by_key
from syncline.connectors.shopify import ids
from syncline.connectors.shopify.catalog_nodes import Image, MediaNode
from syncline.connectors.shopify.media import media_id
from syncline.runtime.db.session import WriteSession

Shown: TypeAlias = tuple[Key, Mapping[str, AnyValue]]
"""The product, and for one medium its id in the second place; and what was made of it."""


async def apply_galleries(session: WriteSession, store_id: UUID, writes: Sequence[Shown], *, moment: datetime) -> None:
    """`moment` is the present by the store's clock. Places move up and down with what comes and goes."""
    added = [(key[0], medium) for key, values in writes if is_shown(medium := values.get("images"))]
    gone = [key for key, values in writes if "images" in values and not is_shown(values["images"])]
    orders = {key[0]: values["image_order"] for key, values in writes if "image_order" in values}
    nodes = {
        (product, int(medium["id"])): _node(product, medium)
        for product, medium in added
        if isinstance(medium, dict) and medium.get("id")
    }
    await _unbury(session, store_id, list(nodes))
    await load_nodes(session, store_id, MEDIA, list(nodes.values()), read_from=moment)
    await bury_by_key(session, store_id, MEDIA, gone, moment=moment)
    shown = await _shown(session, store_id, {key[0] for key, _ in writes})
    for product, medium in added:
        _insert(shown.setdefault(product, []), medium)
    for product, order in orders.items():
        known = [str(number) for number in shown.get(product, [])]
        shown[product] = [int(one) for one in ordered(order if isinstance(order, list) else [], known)]
    keys = [(product, number) for product, numbers in shown.items() for number in numbers]
    await place(session, store_id, MEDIA, keys)


def _node(product: int, medium: Medium) -> MediaNode:
    return MediaNode(
        id=media_id(medium["type"], int(medium["id"])),
        alt=medium["alt"] or None,
        mediaContentType=medium["type"].upper(),
        status="READY" if medium["url"] else "PROCESSING",
        preview=None,
        parent_id=ids.gid(ids.PRODUCT, product),
        image=Image(url=medium["url"]) if medium["url"] else None,
    )


def _insert(numbers: list[int], medium: AnyValue) -> None:
    """At its place, if it has one; else behind the others."""
    if not isinstance(medium, dict) or not medium.get("id"):
        return
    number, position = int(medium["id"]), int(medium.get("position") or 0)
    if number in numbers:
        numbers.remove(number)
    numbers.insert(position - 1 if position else len(numbers), number)


async def _shown(session: WriteSession, store_id: UUID, products: set[int]) -> dict[int, list[int]]:
    table = product_media.c
    query = (
        select(table.product_id, table.id)
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            table.product_id.in_(products),
            table.deleted_at.is_(None),
        )
        .order_by(table.product_id, table.position.nulls_last(), table.id)
    )
    found: dict[int, list[int]] = {}
    for product, number in await session.execute(query):
        found.setdefault(product, []).append(number)
    return found


async def _unbury(session: WriteSession, store_id: UUID, keys: Sequence[Key]) -> None:
    """The store's answer is newer than any tombstone, though its clock, in whole seconds, may not show it."""
    table = product_media.c
    statement = (
        update(product_media)
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            tuple_(table.product_id, table.id).in_(keys),
        )
        .values(deleted_at=None)
    )
    if keys:
        await session.execute(statement)
