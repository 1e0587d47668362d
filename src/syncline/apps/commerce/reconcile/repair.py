"""Mend what a comparison found: read the named records one by one, load what is there, bury what is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec

from syncline.apps.commerce.mirror.kinds import INVENTORY_LEVEL, LOCATION, PRODUCT, VARIANT, Kind
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.loading import load_nodes
from syncline.apps.commerce.mirror.tombstones import bury_by_key, bury_products
from syncline.apps.commerce.reconcile.compare import Difference
from syncline.connectors.shopify import actions, ids
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.pages import locations_of
from syncline.connectors.shopify.records import LocationNode
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database

SLICE = 500


def _slices(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    return (keys[start : start + SLICE] for start in range(0, len(keys), SLICE))


async def _read(client: ShopifyClient, kind: Kind, keys: Sequence[Key]) -> dict[Key, Any]:
    """What the store says of each key now; None where it has no such record."""
    if kind is PRODUCT:
        products = await actions.read_products(client, [key[0] for key in keys])
        return {(number,): node for number, node in products.items()}
    if kind is VARIANT:
        variants = await actions.read_variants(client, [key[0] for key in keys])
        return {(number,): node for number, node in variants.items()}
    if kind is INVENTORY_LEVEL:
        levels = await actions.read_levels(client, [(key[0], key[1]) for key in keys])
        return dict(levels.items())
    assert kind is LOCATION
    known = {node["id"]: node async for node in locations_of(client)}
    found = (known.get(ids.gid(ids.LOCATION, key[0])) for key in keys)
    return {key: msgspec.convert(node, LocationNode) if node else None for key, node in zip(keys, found, strict=True)}


async def repair(
    database: Database, tenant_id: TenantId, client: ShopifyClient, store_id: UUID, kind: Kind, found: Difference
) -> int:
    """How many records were mended. Each slice is its own transaction: a crash in between mends the rest next time."""
    mended = 0
    for keys in _slices([*found.missing, *found.extra, *found.stale]):
        read_from = client.store_now()
        now = await _read(client, kind, keys)
        there = [node for node in now.values() if node is not None]
        gone = [key for key in keys if now.get(key) is None]
        async with database.writing(tenant_id) as session:
            mended += await load_nodes(session, store_id, kind, there, read_from=read_from)
            if kind is PRODUCT:
                mended += await bury_products(session, store_id, [key[0] for key in gone], moment=read_from)
            else:
                mended += await bury_by_key(session, store_id, kind, gone, moment=read_from)
    return mended
